/**
 * Conditions of rules: expressions in CEL, the Common Expression Language, with a bool as their result.
 *
 * An expression is parsed and checked once, when the gateway starts. An evaluation is limited in its work and never
 * throws: a condition that cannot be evaluated is an error, which denies.
 *
 * @see https://github.com/google/cel-spec/blob/master/doc/langdef.md
 */
import { type CelInput, isCelError, parse, plan } from "@bufbuild/cel"
import type { Expr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js"
import { RE2JS } from "@bufbuild/re2"
import * as Result from "effect/Result"
import type { Identity } from "../identity/Identity.ts"
import { checkTypes, Mistake } from "./cel/check.ts"
import { environment } from "./cel/functions.ts"
import { describe } from "./cel/problems.ts"
import { type Problem, scan } from "./cel/scan.ts"
import { countLoop, nodesOf, patternIn } from "./cel/tree.ts"
import * as T from "./cel/types.ts"
import { type ConditionInput, isVariable, values, type Variable, variables } from "./cel/variables.ts"
import { isExhausted, isRepeatable, type Pattern, sharingWork, withWork } from "./cel/work.ts"

export type { ConditionInput }

/**
 * The result of a condition. An error denies; its text is for the log, and contains no value of a token or a message.
 */
export type Truth = "true" | "false" | { readonly error: string }

export interface Condition {
  readonly text: string
  /** Whether it uses the arguments of a message, so that it cannot be evaluated for an item of a list. */
  readonly needsArguments: boolean
  /** Evaluates the condition. Never throws, and takes limited time. */
  readonly test: (input: ConditionInput) => Truth
}

/** The maximum length of an expression, in UTF-16 units. */
const maxLength = 4_096
/**
 * The maximum number of operators, calls, names and constants in an expression, and the maximum depth of their nesting.
 */
const maxNodes = 1_000
const maxDepth = 64
/** The maximum number of instructions of a regular expression. */
const maxPattern = 1_000
/** The maximum work of one evaluation, and of all evaluations for one request, in units of about a microsecond. */
const maxWork = 25_000
const maxWorkOfRequest = 100_000

/** Returns the name of an identifier without a leading dot, which selects a variable that a loop variable hides. */
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
    // Rejected: a pattern from a client or a provider could take any amount of time.
    if (pattern === undefined) {
      throw new Mistake(expr.id, "the pattern of matches must be a text in the expression itself")
    }
    patterns.set(pattern, compilePattern(expr.id, pattern))
  }
  return patterns
}

interface Needs {
  readonly variables: ReadonlySet<Variable>
  readonly patterns: ReadonlyMap<string, Pattern>
  readonly needsArguments: boolean
  /** The parts of an identity that the expression uses and that may be missing. */
  readonly parts: ReadonlySet<Part>
}

type Part = NonNullable<Identity["incomplete"]>[number]

const parts = ["claims", "groups"] as const

/** Analyzes the tree of an expression, and makes its loops count their steps. Throws a `Mistake`. */
const examine = (root: Expr): Needs => {
  const used = new Set<Variable>()
  const lookedAt = new Set<Part>()
  let needsArguments = false
  let nodes = 0
  for (const [expr, depth, parent] of nodesOf(root)) {
    if (++nodes > maxNodes) throw new Mistake(root.id, `the expression has more than ${maxNodes} parts`)
    if (depth > maxDepth) throw new Mistake(expr.id, `the expression is nested more than ${maxDepth} times`)
    const name = identOf(expr)
    if (name !== undefined && isVariable(name)) {
      used.add(name)
      const field = parent?.exprKind.case === "selectExpr" ? parent.exprKind.value.field : undefined
      for (const part of parts) {
        if (name === part || (name === "identity" && (field === undefined || field === part))) lookedAt.add(part)
      }
      if (name === "message" && field !== "method" && field !== "name") needsArguments = true
    }
  }
  return { variables: used, patterns: patternsIn(root), needsArguments, parts: lookedAt }
}

const countLoops = (root: Expr): void => {
  const loops = [...nodesOf(root)].map(([expr]) => expr)
  loops.forEach(countLoop)
}

/** Returns the position at which the parser failed, as an offset from the beginning of the text. */
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
 * Fails with the problem and its position: a syntax error, an unknown name, types that cannot fit, or a result that is
 * not a bool.
 *
 * For example `message.arguments.amount <= 100 || 'finance' in identity.groups`.
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
    // The parser counts blanks before an operator as part of it.
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
  return Result.map(prepared, ({ evaluate, needs }): Condition => {
    const test = (input: ConditionInput): Truth => {
      const missing = input.identity.incomplete?.find((part) => needs.parts.has(part))
      if (missing !== undefined) return { error: `the ${missing} of the caller are too many, or kept elsewhere` }
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
    const isAboutCaller = [...needs.variables].every((name) => name === "identity" || name === "claims")
    return { text, needsArguments: needs.needsArguments, test: isAboutCaller ? oncePerCaller(test) : test }
  })
}

/**
 * A condition that depends only on the caller is evaluated once for each verified token, not for each message or list
 * item.
 */
const oncePerCaller = (test: Condition["test"]): Condition["test"] => {
  const known = new WeakMap<Identity, Truth>()
  return (input) => {
    const { claims, identity } = input
    if (claims !== identity.claims) return test(input)
    const before = known.get(identity)
    if (before !== undefined) return before
    const truth = test(input)
    if (isRepeatable()) known.set(identity, truth)
    return truth
  }
}

/** Limits the work of all conditions for one request, so that a body with many messages cannot multiply it. */
export const forOneRequest = <A>(evaluations: () => A): A => sharingWork(maxWorkOfRequest, evaluations)
