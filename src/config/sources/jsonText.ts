/**
 * JSON as people write it by hand: where it breaks off, and which members it has twice.
 *
 * `JSON.parse` alone takes the last of two members in silence, and its messages repeat the text, which may hold secrets.
 */
import * as Result from "effect/Result"
import { showMember } from "../../errors/nearestName.ts"
import type { Mistake } from "../InvalidConfiguration.ts"
import type { Checked } from "../kinds/kind.ts"

// Text between quotes may still be an invalid string: with a line break in it, or a wrong escape.
const token =
  /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null|[[\]{},:]/sy
const blank = /[ \t\n\r]*/y

const isLexeme = (text: string): boolean =>
  !text.startsWith("\"") || Result.isSuccess(Result.try((): unknown => JSON.parse(text)))

/** What may come next, in the words of the mistake. */
type Expected =
  | "a value"
  | "a value or ]"
  | "a member in double quotes"
  | "a member in double quotes or }"
  | "a colon"
  | "a comma or ]"
  | "a comma or }"
  | "nothing more"

/** An array or object that is open at the moment. */
interface Open {
  readonly members: Map<string, number> | undefined
  /** The member or the number of the element that is being read. */
  step: string | number
}

interface Scan {
  /** Where the text is not JSON, and what is expected there. */
  readonly broken: { readonly at: number; readonly expected: Expected } | undefined
  readonly repeated: ReadonlyArray<{ readonly path: string; readonly first: number; readonly at: number }>
}

const pathOf = (open: ReadonlyArray<Open>): string =>
  open.map(({ step }, index) => typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${showMember(step)}`)
    .join("")

const scan = (text: string): Scan => {
  const repeated: Array<{ path: string; first: number; at: number }> = []
  const open: Array<Open> = []
  let expected: Expected = "a value"
  let at = 0

  const afterValue = (): Expected => {
    const inner = open.at(-1)
    return inner === undefined ? "nothing more" : inner.members === undefined ? "a comma or ]" : "a comma or }"
  }
  const name = (lexeme: string, inner: Open): Expected => {
    const member = String(JSON.parse(lexeme))
    inner.step = member
    const first = inner.members?.get(member)
    if (first !== undefined) repeated.push({ path: pathOf(open), first, at })
    else inner.members?.set(member, at)
    return "a colon"
  }
  const value = (lexeme: string): Expected => {
    if (lexeme === "{") {
      open.push({ members: new Map(), step: "" })
      return "a member in double quotes or }"
    }
    if (lexeme === "[") {
      open.push({ members: undefined, step: 0 })
      return "a value or ]"
    }
    return afterValue()
  }
  const close = (): Expected => {
    open.pop()
    return afterValue()
  }
  /** What may follow a lexeme; `undefined` if the lexeme may not stand there. */
  const next = (lexeme: string): Expected | undefined => {
    const inner = open.at(-1)
    switch (expected) {
      case "nothing more":
        return undefined
      case "a colon":
        return lexeme === ":" ? "a value" : undefined
      case "a comma or }":
        return lexeme === "," ? "a member in double quotes" : lexeme === "}" ? close() : undefined
      case "a comma or ]":
        if (lexeme !== ",") return lexeme === "]" ? close() : undefined
        if (inner !== undefined) inner.step = Number(inner.step) + 1
        return "a value"
      case "a member in double quotes":
      case "a member in double quotes or }":
        if (lexeme === "}" && expected === "a member in double quotes or }") return close()
        return lexeme.startsWith("\"") && inner !== undefined ? name(lexeme, inner) : undefined
      case "a value":
      case "a value or ]":
        if (lexeme === "]" && expected === "a value or ]") return close()
        return /^[\]},:]$/.test(lexeme) ? undefined : value(lexeme)
    }
  }

  for (;;) {
    blank.lastIndex = at
    blank.exec(text)
    at = blank.lastIndex
    if (at === text.length) break
    token.lastIndex = at
    const lexeme = token.exec(text)?.[0]
    const following = lexeme === undefined || !isLexeme(lexeme) ? undefined : next(lexeme)
    if (lexeme === undefined || following === undefined) return { broken: { at, expected }, repeated }
    expected = following
    at += lexeme.length
  }
  return { broken: expected === "nothing more" ? undefined : { at, expected }, repeated }
}

/** For editors: lines and columns count from 1, columns in UTF-16 units. */
const placeOf = (text: string, at: number): string => {
  const before = text.slice(0, at).split(/\r\n?|\n/)
  return `line ${before.length}, column ${(before.at(-1) ?? "").length + 1}`
}

/** The mistake that most often looks like this. */
const hintAt = (rest: string, expected: Expected): string | undefined => {
  if (/^(?:\/[/*]|#)/.test(rest)) return "JSON has no comments"
  if (/^['‘’“”]/.test(rest)) return "JSON has straight double quotes only"
  if (/^"[^"\r\n]*(?:[\r\n]|$)/.test(rest)) return "a string ends on the line on which it begins"
  if (/^[\]}]/.test(rest) && (expected === "a value" || expected === "a member in double quotes")) {
    return "remove the comma before it, or what should follow is missing"
  }
  return undefined
}

const broken = (text: string, at: number, expected: Expected): Mistake => {
  const problem = "is not JSON"
  const place = placeOf(text, at)
  if (at >= text.length) return { problem, fix: `It ends at ${place}, where ${expected} is missing` }
  const hint = hintAt(text.slice(at), expected)
  const wanted = expected === "nothing more" ? "it should have ended" : `${expected} is expected`
  return { problem, fix: `At ${place} ${wanted}${hint === undefined ? "" : `; ${hint}`}` }
}

/**
 * Parses JSON that a person wrote.
 *
 * Reports every member that occurs twice in one object, by its path, and the first syntax error, by line and column,
 * without anything that could be a value.
 */
export const parseJson = (text: string): Checked<unknown> => {
  const found = scan(text)
  if (found.broken !== undefined) return Result.fail([broken(text, found.broken.at, found.broken.expected)])
  if (found.repeated.length > 0) {
    return Result.fail(found.repeated.map(({ at, first, path }) => ({
      problem: `has ${path} twice, at ${placeOf(text, first)} and at ${placeOf(text, at)}`,
      fix: "Keep one of them"
    })))
  }
  return Result.mapError(
    Result.try((): unknown => JSON.parse(text)),
    () => [{ problem: "is not JSON", fix: "Check quotes, commas and brackets" }]
  )
}
