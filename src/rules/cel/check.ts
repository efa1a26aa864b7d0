/**
 * Checks an expression before it is ever evaluated: its variables, members and functions must exist, and types must
 * match.
 *
 * A value from JSON is `dyn`: its type is known only at evaluation. If types are known and do not match, the expression
 * could never be true, so it is an error.
 */
import type { CelEnv } from "@bufbuild/cel"
import type {
  Constant,
  Expr,
  Expr_Call,
  Expr_Comprehension,
  Expr_Select
} from "@bufbuild/cel-spec/cel/expr/syntax_pb.js"
import { nearestName, showMember } from "../../errors/nearestName.ts"
import * as T from "./types.ts"

/** The problem of an expression, and its node. */
export class Mistake extends Error {
  override readonly name = "Mistake"
  readonly node: bigint
  constructor(node: bigint, problem: string) {
    super(problem)
    this.node = node
  }
}

/** The variables that a part of an expression can see. */
type Scope = ReadonlyMap<string, T.Type>

/** How an operator is written, by the name of its function. */
const operator = /^_?(@?[^_@]+)_?$/
const shownFunction = (name: string): string =>
  name === "@in"
    ? "in"
    : name === "_[_]"
    ? "[…]"
    : name.includes("_") && !/[a-z]/i.test(name)
    ? name.replace(operator, "$1")
    : name

const typeNames: ReadonlySet<string> = new Set([
  "bool",
  "bytes",
  "double",
  "int",
  "list",
  "map",
  "null_type",
  "string",
  "type",
  "uint",
  "google.protobuf.Duration",
  "google.protobuf.Timestamp"
])

/** How macros, which look like functions, are written. */
const macros: ReadonlyMap<string, string> = new Map([
  ["has", "it asks for a member, as in has(claims.email)"],
  ...["all", "exists", "exists_one", "filter", "map"].map((name): [string, string] => [
    name,
    `it takes a name and a condition, as in claims.groups.${name}(group, group != 'guests')`
  ])
])

const suggestion = (name: string, known: Iterable<string>): string => {
  const names = [...known]
  const near = nearestName(name, names)
  return near === undefined ? `there are ${names.join(", ")}` : `did you mean ${near}?`
}

const isInt64 = (value: bigint): boolean => BigInt.asIntN(64, value) === value

const constantType = (node: bigint, { constantKind }: Constant): T.Type => {
  switch (constantKind.case) {
    case "boolValue":
      return T.bool
    case "int64Value":
      if (!isInt64(constantKind.value)) throw new Mistake(node, "the number is too large for an integer of 64 bits")
      return T.int
    case "uint64Value":
      if (BigInt.asUintN(64, constantKind.value) !== constantKind.value) {
        throw new Mistake(node, "the number is too large for an unsigned integer of 64 bits")
      }
      return T.simple("uint")
    case "doubleValue":
      return T.simple("double")
    case "stringValue":
      return T.string
    case "bytesValue":
      return T.simple("bytes")
    case "nullValue":
      return T.simple("null_type")
    default:
      throw new Mistake(node, "this constant is not known here")
  }
}

/** Returns `a.b.c` as it is written; `undefined` if the expression is more than names. */
const qualifiedName = ({ exprKind }: Expr): string | undefined => {
  if (exprKind.case === "identExpr") return exprKind.value.name
  if (exprKind.case !== "selectExpr" || exprKind.value.testOnly || exprKind.value.operand === undefined) {
    return undefined
  }
  const parent = qualifiedName(exprKind.value.operand)
  return parent === undefined ? undefined : `${parent}.${exprKind.value.field}`
}

/** Describes what an expression has in place of a required part. */
const part = (node: bigint, expr: Expr | undefined): Expr => {
  if (expr === undefined) throw new Mistake(node, "a part of the expression is missing")
  return expr
}

const ident = (node: bigint, written: string, scope: Scope): T.Type => {
  const name = written.replace(/^\./, "")
  const type = scope.get(name)
  if (type !== undefined) return type
  if (typeNames.has(name)) return T.simple("type")
  throw new Mistake(node, `there is no variable ${showMember(name)}; ${suggestion(name, scope.keys())}`)
}

const member = (node: bigint, type: T.Type, field: string): T.Type => {
  if (type.kind === "record") {
    const known = Object.hasOwn(type.members, field) ? type.members[field] : undefined
    if (known !== undefined) return known
    throw new Mistake(node, `there is no member ${showMember(field)}; ${suggestion(field, Object.keys(type.members))}`)
  }
  if (type.kind === "map") return type.value
  if (T.isDyn(type)) return T.dyn
  throw new Mistake(node, `${T.showType(type)} has no members, so there is no ${showMember(field)}`)
}

/** Checks an expression. Throws a `Mistake`. */
export const checkTypes = (env: CelEnv, root: Expr, variables: Readonly<Record<string, T.Type>>): T.Type => {
  const functionNames = () => new Set([...env.funcs].map(({ name }) => name).filter((name) => /^[a-z]/i.test(name)))

  const requireBool = (expr: Expr, scope: Scope, what: string): void => {
    const type = check(expr, scope)
    if (!T.fits(type, T.bool)) throw new Mistake(expr.id, `${what} must be a bool, but this is ${T.showType(type)}`)
  }

  const select = (expr: Expr, { field, operand, testOnly }: Expr_Select, scope: Scope): T.Type => {
    const typeName = qualifiedName(expr)?.replace(/^\./, "")
    if (typeName !== undefined && typeNames.has(typeName)) return T.simple("type")
    const type = member(expr.id, check(part(expr.id, operand), scope), field)
    return testOnly ? T.bool : type
  }

  const index = (node: bigint, container: Expr, key: Expr, scope: Scope): T.Type => {
    const type = check(container, scope)
    const by = check(key, scope)
    const misfit = (): never => {
      throw new Mistake(node, `${T.showType(type)} cannot be indexed by ${T.showType(by)}`)
    }
    switch (type.kind) {
      case "list":
        return T.comparable(by, T.int) ? type.element : misfit()
      case "map":
        return T.comparable(by, type.key) ? type.value : misfit()
      case "record": {
        if (!T.fits(by, T.string)) return misfit()
        const { exprKind } = key
        return exprKind.case === "constExpr" && exprKind.value.constantKind.case === "stringValue"
          ? member(node, type, exprKind.value.constantKind.value)
          : T.dyn
      }
      case "simple":
        return T.isDyn(type) ? T.dyn : misfit()
    }
  }

  /** Returns the result type of the functions with this name that accept such arguments. */
  const callFunction = (
    node: bigint,
    name: string,
    target: T.Type | undefined,
    args: ReadonlyArray<T.Type>
  ): T.Type => {
    const overloads = [...(env.funcs.find(name) ?? [])]
    if (overloads.length === 0) {
      const near = nearestName(name, functionNames())
      throw new Mistake(
        node,
        `there is no function ${showMember(name)}${near === undefined ? "" : `; did you mean ${near}?`}`
      )
    }
    const given = (target === undefined ? args : [target, ...args]).map(T.showType).join(", ")
    const fitting = overloads.filter((overload) =>
      (overload.target === undefined) === (target === undefined) &&
      (overload.target === undefined || target === undefined || T.fits(target, T.typeOf(overload.target))) &&
      overload.arguments.length === args.length &&
      overload.arguments.every((wanted, position) => T.fits(args[position] ?? T.dyn, T.typeOf(wanted)))
    )
    if (fitting.length === 0) throw new Mistake(node, `${shownFunction(name)} cannot be used with (${given})`)
    const [first, second] = args
    const isComparison = name === "_==_" || name === "_!=_"
    if (isComparison && first !== undefined && second !== undefined && !T.comparable(first, second)) {
      throw new Mistake(node, `${shownFunction(name)} cannot be used with (${given}), which are never equal`)
    }
    if (name === "@in" && first !== undefined && second?.kind === "list" && !T.comparable(first, second.element)) {
      throw new Mistake(node, `in cannot be used with (${given}), which never has it`)
    }
    if (name === "_+_" && first?.kind === "list" && second?.kind === "list") return T.joined([first, second])
    return T.joined(fitting.map(({ result }) => T.typeOf(result)))
  }

  const call = (node: bigint, { args, function: name, target }: Expr_Call, scope: Scope): T.Type => {
    const [first, second, third] = args
    switch (name) {
      case "_&&_":
      case "_||_":
        for (const arg of args) requireBool(arg, scope, `each side of ${shownFunction(name)}`)
        return T.bool
      case "!_":
        requireBool(part(node, first), scope, "what ! negates")
        return T.bool
      case "@not_strictly_false":
        requireBool(part(node, first), scope, "the condition")
        return T.bool
      case "_?_:_":
        requireBool(part(node, first), scope, "what stands before ?")
        return T.joined([check(part(node, second), scope), check(part(node, third), scope)])
      case "_[_]":
        return index(node, part(node, first), part(node, second), scope)
      case "_[?_]":
      case "_?._":
        throw new Mistake(node, "optional members are not supported; ask has(…) first")
    }
    const macro = macros.get(name)
    if (macro !== undefined) throw new Mistake(node, `${name} is not written so: ${macro}`)
    const types = args.map((arg) => check(arg, scope))
    return callFunction(node, name, target === undefined ? undefined : check(target, scope), types)
  }

  const elementOf = (expr: Expr, scope: Scope): T.Type => {
    const type = check(expr, scope)
    if (type.kind === "list") return type.element
    if (type.kind === "map") return type.key
    if (type.kind === "record") return T.string
    if (T.isDyn(type)) return T.dyn
    throw new Mistake(expr.id, `${T.showType(type)} is neither a list nor a map, so nothing can be looked for in it`)
  }

  const comprehension = (node: bigint, loop: Expr_Comprehension, scope: Scope): T.Type => {
    const element = elementOf(part(node, loop.iterRange), scope)
    const begin = check(part(node, loop.accuInit), scope)
    const inside = (accu: T.Type): Scope => new Map([...scope, [loop.accuVar, accu], [loop.iterVar, element]])
    requireBool(part(node, loop.loopCondition), inside(begin), "the condition")
    const step = check(part(node, loop.loopStep), inside(begin))
    const accu = T.joined([begin, step])
    return check(part(node, loop.result), new Map([...scope, [loop.accuVar, accu]]))
  }

  const check = (expr: Expr, scope: Scope): T.Type => {
    const { exprKind, id } = expr
    switch (exprKind.case) {
      case "constExpr":
        return constantType(id, exprKind.value)
      case "identExpr":
        return ident(id, exprKind.value.name, scope)
      case "selectExpr":
        return select(expr, exprKind.value, scope)
      case "callExpr":
        return call(id, exprKind.value, scope)
      case "listExpr":
        if (exprKind.value.optionalIndices.length > 0) throw new Mistake(id, "optional elements are not supported")
        return T.list(T.joined(exprKind.value.elements.map((element) => check(element, scope))))
      case "structExpr": {
        const { entries, messageName } = exprKind.value
        if (messageName !== "") throw new Mistake(id, `messages such as ${showMember(messageName)} are not supported`)
        const checked = entries.map(({ id: entry, keyKind, optionalEntry, value }) => {
          if (optionalEntry) throw new Mistake(entry, "optional entries are not supported")
          if (keyKind.case !== "mapKey") throw new Mistake(entry, "the key of an entry is missing")
          return { key: check(keyKind.value, scope), value: check(part(entry, value), scope) }
        })
        return T.map(T.joined(checked.map(({ key }) => key)), T.joined(checked.map(({ value }) => value)))
      }
      case "comprehensionExpr":
        return comprehension(id, exprKind.value, scope)
      default:
        throw new Mistake(id, "a part of the expression is missing")
    }
  }

  return check(root, new Map(Object.entries(variables)))
}
