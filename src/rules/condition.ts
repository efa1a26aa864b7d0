/**
 * Conditions of rules: expressions of CEL, the Common Expression Language, whose result is a bool.
 *
 * An expression is parsed and checked once, when the gateway starts. An evaluation is bounded in work and never throws:
 * what cannot be computed is an error, which denies.
 *
 * @see https://github.com/google/cel-spec/blob/master/doc/langdef.md
 */
import { type CelInput, isCelError, parse, plan } from "@bufbuild/cel"
import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js"
import { timestampFromMs } from "@bufbuild/protobuf/wkt"
import { RE2JS } from "@bufbuild/re2"
import * as Result from "effect/Result"
import type { Identity } from "../identity/Identity.ts"
import type { Operation } from "../message/operation.ts"
import { checkTypes, Mistake } from "./cel/check.ts"
import { environment } from "./cel/functions.ts"
import { describe } from "./cel/problems.ts"
import { type Problem, scan } from "./cel/scan.ts"
import { countLoop, nodesOf, patternIn } from "./cel/tree.ts"
import * as T from "./cel/types.ts"
import { mapOf } from "./cel/values.ts"
import { isExhausted, type Pattern, withWork } from "./cel/work.ts"

/** What an expression can see. */
export interface ConditionInput {
  readonly identity: Identity
  readonly claims: Identity["claims"]
  /** The method, the name of the tool or prompt or the URI of the resource, and the arguments. */
  readonly message: Operation
  /** The name of the MCP server (`servers[].name`); empty for the only one. */
  readonly server: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** What a condition says. An error denies; its text is for the log, and holds no value of a token or a message. */
export type Truth = "true" | "false" | { readonly error: string }

/** A compiled expression. */
export interface Condition {
  /** As the operator wrote it. */
  readonly text: string
  /** Whether it looks at the arguments of a message, so that it cannot be evaluated for an item of a list. */
  readonly needsArguments: boolean
  /** Evaluates it. Never throws, and is bounded in time. */
  readonly test: (input: ConditionInput) => Truth
}

/** UTF-16 units of an expression. */
const maxLength = 4_096
/** Of an expression: its operators, calls, names and constants; and how deep they are within each other. */
const maxNodes = 1_000
const maxDepth = 64
/** Instructions of a regular expression. */
const maxPattern = 1_000
/** Work of one evaluation, in units of about a microsecond. */
const maxWork = 25_000

const timestamp = T.simple("google.protobuf.Timestamp")

/** The variables of an expression. */
const variables = {
  identity: T.record({
    subject: T.string,
    principal: T.string,
    client_id: T.string,
    issuer: T.string,
    provider: T.string,
    scopes: T.list(T.string),
    groups: T.list(T.string),
    email: T.string,
    name: T.string,
    expires_at: timestamp,
    claims: T.map(T.string, T.dyn)
  }),
  claims: T.map(T.string, T.dyn),
  message: T.record({ method: T.string, name: T.string, arguments: T.dyn }),
  server: T.string,
  now: timestamp
}

type Variable = keyof typeof variables

const isVariable = (name: string): name is Variable => Object.hasOwn(variables, name)

const identityValues = new WeakMap<Identity, CelInput>()

const identityValue = (identity: Identity): CelInput => {
  const before = identityValues.get(identity)
  if (before !== undefined) return before
  const { claims, clientId, email, expiresAt, groups = [], issuer, name, principal, provider, scopes, subject } =
    identity
  const expires = expiresAt !== undefined && Number.isFinite(expiresAt) ? timestampFromMs(expiresAt * 1000) : undefined
  const value = mapOf(
    {
      subject,
      principal,
      client_id: clientId,
      issuer,
      provider,
      scopes,
      groups,
      email,
      name,
      claims,
      expires_at: expires && expiresAt
    },
    new Map(expires === undefined ? [] : [["expires_at", expires]])
  )
  identityValues.set(identity, value)
  return value
}

const values: { readonly [name in Variable]: (input: ConditionInput) => CelInput } = {
  identity: ({ identity }) => identityValue(identity),
  claims: ({ claims }) => mapOf(claims),
  message: ({ message: { arguments: args, method, subject } }) =>
    mapOf({ method, name: subject?.name, arguments: args }),
  server: ({ server }) => server,
  now: ({ now }) => timestampFromMs(now)
}

/** The names of an expression, wherever a loop hides one. */
const identOf = ({ exprKind }: Expr): string | undefined =>
  exprKind.case === "identExpr" ? exprKind.value.name.replace(/^\./, "") : undefined

const compilePattern = (node: bigint, text: string): Pattern => {
  const compiled = Result.try(() => RE2JS.compile(text))
  if (Result.isFailure(compiled)) throw new Mistake(node, "the pattern is not a regular expression (RE2)")
  const size = compiled.success.re2Input.prog.numInst()
  if (size > maxPattern) throw new Mistake(node, "the pattern is too large: repeat less")
  return { size, test: (subject) => compiled.success.test(subject) }
}

/** The regular expressions of an expression. Throws a `Mistake`. */
export const patternsIn = (root: Expr): ReadonlyMap<string, Pattern> => {
  const patterns = new Map<string, Pattern>()
  for (const [expr] of nodesOf(root)) {
    const matched = patternIn(expr)
    if (matched === undefined) continue
    const { pattern } = matched
    // What a client or a provider sent could take as long as it likes.
    if (pattern === undefined) {
      throw new Mistake(expr.id, "the pattern of matches must be a text in the expression itself")
    }
    patterns.set(pattern, compilePattern(expr.id, pattern))
  }
  return patterns
}

/** What an expression needs. */
interface Needs {
  readonly variables: ReadonlySet<Variable>
  readonly patterns: ReadonlyMap<string, Pattern>
  readonly needsArguments: boolean
}

/** Looks through the tree of an expression, whose loops are counted from now on. Throws a `Mistake`. */
const examine = (root: Expr): Needs => {
  const used = new Set<Variable>()
  let needsArguments = false
  let nodes = 0
  for (const [expr, depth, parent] of nodesOf(root)) {
    if (++nodes > maxNodes) throw new Mistake(root.id, `the expression has more than ${maxNodes} parts`)
    if (depth > maxDepth) throw new Mistake(expr.id, `the expression is nested more than ${maxDepth} times`)
    const name = identOf(expr)
    if (name !== undefined && isVariable(name)) {
      used.add(name)
      const field = parent?.exprKind.case === "selectExpr" ? parent.exprKind.value.field : undefined
      if (name === "message" && field !== "method" && field !== "name") needsArguments = true
    }
  }
  return { variables: used, patterns: patternsIn(root), needsArguments }
}

const countLoops = (root: Expr): void => {
  const loops = [...nodesOf(root)].map(([expr]) => expr)
  loops.forEach(countLoop)
}

/** Where the parser gave up: offset from the beginning of the text. */
const offsetOf = (error: unknown): number => {
  const { location } = error as { readonly location?: { readonly start?: { readonly offset?: number } } }
  return location?.start?.offset ?? 0
}

const parsed = (text: string): Result.Result<ReturnType<typeof parse>, Problem> =>
  Result.try({
    // A comment ends with its line.
    try: () => parse(`${text}\n`),
    catch: (error) => ({
      position: Math.min(offsetOf(error), text.length) + 1,
      problem: "the expression cannot be read from here"
    })
  })

/**
 * Compiles an expression.
 *
 * Fails with what is wrong and where: a syntax error, an unknown name, types that cannot fit, or a result that is no bool.
 *
 * **Example**
 *
 * ```ts
 * compile("message.arguments.amount <= 100 || 'finance' in identity.groups")
 * ```
 */
export const compile = (text: string): Result.Result<Condition, Problem> => {
  if (text.trim() === "") return Result.fail({ position: 1, problem: "the expression is empty" })
  if (text.length > maxLength) {
    return Result.fail({ position: maxLength + 1, problem: `the expression is longer than ${maxLength} characters` })
  }
  const found = scan(text)
  if (found !== undefined) return Result.fail(found)
  const read = parsed(text)
  if (Result.isFailure(read)) return Result.fail(read.failure)
  const { expr, sourceInfo } = read.success
  const offsetOfNode = (node: bigint | undefined): number | undefined => {
    const offset = sourceInfo?.positions[String(node)]
    // The parser counts the blanks before an operator as a part of it.
    return offset === undefined ? undefined : offset + text.slice(offset).search(/\S|$/)
  }
  const prepared = Result.try({
    try: () => {
      const needs = examine(expr)
      const type = checkTypes(environment, expr, variables)
      if (!T.fits(type, T.bool)) throw new Mistake(expr.id, `the result must be a bool, but it is ${T.showType(type)}`)
      countLoops(expr)
      return { needs, evaluate: plan(environment, expr) }
    },
    catch: (error): Problem =>
      error instanceof Mistake
        ? { position: (offsetOfNode(error.node) ?? 0) + 1, problem: error.message }
        : { position: 1, problem: "the expression cannot be compiled" }
  })
  return Result.map(prepared, ({ evaluate, needs }): Condition => ({
    text,
    needsArguments: needs.needsArguments,
    test: (input) => {
      const outcome = Result.try(() =>
        withWork(maxWork, needs.patterns, () => {
          const bindings: Record<string, CelInput> = Object.create(null)
          for (const name of needs.variables) bindings[name] = values[name](input)
          const result = evaluate(bindings)
          return isExhausted() ? undefined : result
        })
      )
      if (Result.isFailure(outcome)) return { error: "this cannot be computed" }
      const result = outcome.success
      if (result === undefined) return { error: "the condition takes too much work" }
      if (typeof result === "boolean") return result ? "true" : "false"
      return {
        error: isCelError(result) ? describe(text, offsetOfNode(result.exprId), result) : "the result is not a bool"
      }
    }
  }))
}
