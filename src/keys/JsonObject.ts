/**
 * JSON objects from outside: tokens and answers of providers.
 *
 * Pure. Only the object's own members are ever read, so that neither `__proto__` nor `constructor` means anything.
 */
import * as Result from "effect/Result"

/** A parsed JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Why a text is not an acceptable JSON object. */
export type JsonProblem = "NotJson" | "NotAnObject" | "DuplicateMember" | "TooDeep"

/** Deeper values cannot be cloned or serialised again without exhausting the stack; real ones have five levels. */
const maxDepth = 64

const quote = 0x22
const backslash = 0x5c

/** Index after the closing quote of the string that opens at `start`. */
const endOfString = (text: string, start: number): number => {
  let index = start + 1
  while (index < text.length) {
    const unit = text.charCodeAt(index)
    if (unit === quote) return index + 1
    index += unit === backslash ? 2 : 1
  }
  return index
}

/** Says whether a colon follows, which makes the string before it a member name. */
const isName = (text: string, end: number): boolean => {
  let index = end
  while (/\s/.test(text.charAt(index))) index++
  return text[index] === ":"
}

/** The member names of the outermost object as they are spelled, quotes included; `undefined` beyond `maxDepth`. */
const outermostNames = (text: string): ReadonlyArray<string> | undefined => {
  const names: Array<string> = []
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    switch (text[index]) {
      case "\"": {
        const end = endOfString(text, index)
        if (depth === 1 && isName(text, end)) names.push(text.slice(index, end))
        index = end - 1
        break
      }
      case "{":
      case "[":
        if (++depth > maxDepth) return undefined
        break
      case "}":
      case "]":
        depth--
        break
    }
  }
  return names
}

const parseJson = (text: string): Result.Result<unknown, JsonProblem> =>
  Result.try({ try: (): unknown => JSON.parse(text), catch: () => "NotJson" })

/** Says whether a parsed JSON value is an object. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A member of the object itself, never one of its prototype; `undefined` when there is none. */
export const own = (object: JsonObject, name: string): unknown => Object.hasOwn(object, name) ? object[name] : undefined

/**
 * Parses one JSON object whose outermost member names are all different and which is at most 64 levels deep.
 *
 * Use it for everything that decides about a caller. `JSON.parse` alone lets the last of two equal members win, and
 * another parser the first (RFC 8259, section 4; RFC 7515, section 4; RFC 7519, section 4).
 */
export const parseJsonObject = (text: string): Result.Result<JsonObject, JsonProblem> => {
  const spelled = outermostNames(text)
  if (spelled === undefined) return Result.fail("TooDeep")
  return Result.flatMap(parseJson(text), (value): Result.Result<JsonObject, JsonProblem> => {
    if (!isJsonObject(value)) return Result.fail("NotAnObject")
    // Two spellings of one name (`a`, `\u0061`) leave fewer members than there were names.
    return Object.keys(value).length === spelled.length ? Result.succeed(value) : Result.fail("DuplicateMember")
  })
}
