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

/** Index of the quote that closes the string which opens at `start`; of the end if none does. */
const endOfString = (text: string, start: number): number => {
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === "\"") return index
    if (text[index] === "\\") index++
  }
  return text.length
}

/**
 * How many members the outermost object has as it is written, equal names included: the colons on its own level that
 * stand in no string. Of what is no JSON it counts something. `undefined` beyond `maxDepth`.
 */
const writtenMembers = (text: string): number | undefined => {
  let members = 0
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    switch (text[index]) {
      case "\"":
        index = endOfString(text, index)
        break
      case ":":
        if (depth === 1) members++
        break
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
  return members
}

const parseJson = (text: string): Result.Result<unknown, JsonProblem> =>
  Result.try({ try: (): unknown => JSON.parse(text), catch: () => "NotJson" })

/** Says whether a parsed JSON value is an object. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * A member of the object itself, never one of its prototype; `undefined` when there is none, or `null` in its place.
 *
 * Many serialisers write `null` where the specifications leave a member out.
 */
export const own = (object: JsonObject, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] ?? undefined : undefined

/**
 * The same object without the members that are `null`: serialisers write it for what is absent.
 *
 * Use it for every document of a provider, so that no rule has to know of it. Nested objects are left as they are.
 */
export const withoutNulls = (object: JsonObject): JsonObject =>
  Object.values(object).includes(null)
    ? Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))
    : object

/**
 * Parses one JSON object whose outermost member names are all different and which is at most 64 levels deep.
 *
 * Use it for everything that decides about a caller. `JSON.parse` alone lets the last of two equal members win, and
 * another parser the first (RFC 8259, section 4; RFC 7515, section 4; RFC 7519, section 4).
 */
export const parseJsonObject = (text: string): Result.Result<JsonObject, JsonProblem> => {
  const members = writtenMembers(text)
  if (members === undefined) return Result.fail("TooDeep")
  return Result.flatMap(parseJson(text), (value): Result.Result<JsonObject, JsonProblem> => {
    if (!isJsonObject(value)) return Result.fail("NotAnObject")
    // Two spellings of one name (`a`, `\u0061`) leave fewer members than were written.
    return Object.keys(value).length === members ? Result.succeed(value) : Result.fail("DuplicateMember")
  })
}
