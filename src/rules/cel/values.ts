/**
 * Converts JSON to values of CEL.
 *
 * Members are converted, and counted as work, when they are read. Only an object's own members exist. Numbers are
 * doubles, because JSON has no others; CEL can compare them with integers. Data of clients and providers is never
 * passed to the library as an object: the library would take an object with a `$typeName` for a protobuf message.
 */
import { type CelInput, celList, type CelMap, celMap } from "@bufbuild/cel"
import { spend } from "./work.ts"

type JsonObject = Readonly<Record<string, unknown>>

/** The maximum number of nested arrays; deeper ones are an error when they are read. Objects need no limit. */
const maxArrayDepth = 32

const isObject = (value: object): value is JsonObject => !Array.isArray(value)

const listOf = (array: ReadonlyArray<unknown>, depth: number): CelInput => {
  if (depth > maxArrayDepth) throw new Error("arrays are nested too deeply")
  spend(array.length)
  return celList(array.map((element) => valueOf(element, depth + 1)))
}

export const valueOf = (value: unknown, depth = 0): CelInput => {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
      return value
    case "number":
      // Servers that read integers exactly would see another number than the one that this decision is based on.
      if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
        throw new Error("not exactly a double")
      }
      return value
    case "object":
      if (value === null) return null
      return Array.isArray(value) ? listOf(value, depth) : isObject(value) ? mapOf(value) : null
    default:
      throw new Error("not a JSON value")
  }
}

class Members implements ReadonlyMap<string, CelInput> {
  readonly #object: JsonObject
  // The objects and arrays that have been read, if any.
  #known: Map<string, CelInput> | undefined

  constructor(object: JsonObject, known: ReadonlyMap<string, CelInput> | undefined) {
    this.#object = object
    this.#known = known && new Map(known)
  }

  get size(): number {
    return Object.keys(this.#object).length
  }

  has(name: unknown): boolean {
    spend(1)
    return typeof name === "string" && Object.hasOwn(this.#object, name) && this.#object[name] !== undefined
  }

  get(name: unknown): CelInput | undefined {
    if (typeof name !== "string" || !this.has(name)) return undefined
    const member = this.#object[name]
    const known = this.#known?.get(name)
    if (known !== undefined) return known
    const value = valueOf(member)
    if (typeof member === "object" && member !== null) {
      this.#known ??= new Map()
      this.#known.set(name, value)
    }
    return value
  }

  *keys(): MapIterator<string> {
    for (const name of Object.keys(this.#object)) {
      spend(1)
      yield name
    }
  }

  *entries(): MapIterator<[string, CelInput]> {
    for (const name of this.keys()) {
      const value = this.get(name)
      if (value !== undefined) yield [name, value]
    }
  }

  *values(): MapIterator<CelInput> {
    for (const [, value] of this.entries()) yield value
  }

  forEach(callback: (value: CelInput, name: string, map: ReadonlyMap<string, CelInput>) => void): void {
    for (const [name, value] of this.entries()) callback(value, name, this)
  }

  [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries()
  }
}

/**
 * Converts a JSON object.
 *
 * @param known members that are not from JSON
 */
export const mapOf = (object: JsonObject, known?: ReadonlyMap<string, CelInput>): CelMap => {
  const members = new Members(object, known)
  const map = celMap(members)
  // The library treats members that are `null` as missing.
  map.has = (name) => members.has(name)
  return map
}

// Cached, because one caller's claims are used in many evaluations.
const converted = new WeakMap<JsonObject, CelMap>()

/** Converts a JSON object once, for many evaluations. */
export const lastingMapOf = (object: JsonObject): CelMap => {
  const before = converted.get(object)
  if (before !== undefined) return before
  const map = mapOf(object)
  converted.set(object, map)
  return map
}
