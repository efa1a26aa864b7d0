/**
 * The types that expressions are checked with. `dyn` is any value from JSON, whose type is known only at evaluation.
 */
import type { CelType } from "@bufbuild/cel"

export type Type =
  /** `bool`, `int`, `string`, … by their names in CEL; `dyn` fits everything. */
  | { readonly kind: "simple"; readonly name: string }
  | { readonly kind: "list"; readonly element: Type }
  | { readonly kind: "map"; readonly key: Type; readonly value: Type }
  /** A map with known members. */
  | { readonly kind: "record"; readonly members: Readonly<Record<string, Type>> }

export const simple = (name: string): Type => ({ kind: "simple", name })
export const dyn = simple("dyn")
export const bool = simple("bool")
export const int = simple("int")
export const string = simple("string")
export const list = (element: Type): Type => ({ kind: "list", element })
export const map = (key: Type, value: Type): Type => ({ kind: "map", key, value })
export const record = (members: Readonly<Record<string, Type>>): Type => ({ kind: "record", members })

export const isDyn = (type: Type): boolean => type.kind === "simple" && type.name === "dyn"

/** Writes a type as operators do. */
export const showType = (type: Type): string => {
  switch (type.kind) {
    case "simple":
      return type.name.replace("google.protobuf.", "").toLowerCase()
    case "list":
      return isDyn(type.element) ? "list" : `list of ${showType(type.element)}`
    case "map":
    case "record":
      return "map"
  }
}

export const typeOf = (type: CelType): Type =>
  type.kind === "list"
    ? list(typeOf(type.element))
    : type.kind === "map"
    ? map(typeOf(type.key), typeOf(type.value))
    : simple(type.name)

export const fits = (one: Type, other: Type): boolean => {
  if (isDyn(one) || isDyn(other)) return true
  if (one.kind === "simple") return other.kind === "simple" && one.name === other.name
  if (one.kind === "list") return other.kind === "list" && fits(one.element, other.element)
  if (other.kind === "list" || other.kind === "simple") return false
  return one.kind === "record" || other.kind === "record"
    ? true
    : fits(one.key, other.key) && fits(one.value, other.value)
}

const numbers: ReadonlySet<string> = new Set(["int", "uint", "double"])

const isNumber = (type: Type): boolean => type.kind === "simple" && numbers.has(type.name)

/** Returns whether two values can be equal. Numbers of all types can be, and any JSON value can be `null`. */
export const comparable = (one: Type, other: Type): boolean => {
  if (isNumber(one) && isNumber(other)) return true
  const isNull = [one, other].some((type) => type.kind === "simple" && type.name === "null_type")
  if (isNull) return true
  if (one.kind === "list" && other.kind === "list") return comparable(one.element, other.element)
  if (one.kind === "map" && other.kind === "map") {
    return comparable(one.key, other.key) && comparable(one.value, other.value)
  }
  return fits(one, other)
}

const isSame = (one: Type, other: Type): boolean => {
  if (one.kind === "simple" || other.kind === "simple") {
    return one.kind === "simple" && other.kind === "simple" && one.name === other.name
  }
  if (one.kind === "list" || other.kind === "list") {
    return one.kind === "list" && other.kind === "list" && isSame(one.element, other.element)
  }
  if (one.kind === "record" || other.kind === "record") return one === other
  return isSame(one.key, other.key) && isSame(one.value, other.value)
}

export const joined = (types: ReadonlyArray<Type>): Type => {
  const [first = dyn, ...others] = types
  return others.every((other) => isSame(first, other)) ? first : dyn
}
