/**
 * JSON objects from outside the gateway: tokens, and responses of providers.
 *
 * Pure. Only an object's own members are read, so that `__proto__` and `constructor` have no special meaning.
 */
import * as Result from "effect/Result"

/** A parsed JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Why a text is not an acceptable JSON object. */
export type JsonProblem = "NotJson" | "NotAnObject" | "DuplicateMember" | "TooDeep"

/** Deeper values could exhaust the stack when they are cloned or serialized; real documents have five levels. */
const maxDepth = 64

/** Returns the index of the quote that closes the string opened at `start`, or the end of the text if there is none. */
const endOfString = (text: string, start: number): number => {
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === "\"") return index
    if (text[index] === "\\") index++
  }
  return text.length
}

/**
 * Counts the members of the outermost object as written, including duplicate names, by the colons at its level outside
 * of strings. The count is meaningless for text that is not JSON. `undefined` if the nesting is deeper than `maxDepth`.
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

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Returns a member of the object, but never one of its prototype; `undefined` if the member is missing or `null`.
 *
 * Many serializers write `null` for members that the specifications leave out.
 */
export const own = (object: JsonObject, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] ?? undefined : undefined

/**
 * Returns the object without the members that are `null`, which serializers write for missing members.
 *
 * Use it for every document of a provider, so that no rule has to handle `null`. Nested objects are unchanged.
 */
export const withoutNulls = (object: JsonObject): JsonObject =>
  Object.values(object).includes(null)
    ? Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null))
    : object

/**
 * Parses one JSON object whose outermost member names are all different and which is nested at most 64 levels deep.
 *
 * Use it for everything that decides about a caller. Of duplicate members, `JSON.parse` takes the last one, while other
 * parsers take the first (RFC 8259, section 4; RFC 7515, section 4; RFC 7519, section 4).
 */
export const parseJsonObject = (text: string): Result.Result<JsonObject, JsonProblem> => {
  const members = writtenMembers(text)
  if (members === undefined) return Result.fail("TooDeep")
  return Result.flatMap(parseJson(text), (value): Result.Result<JsonObject, JsonProblem> => {
    if (!isJsonObject(value)) return Result.fail("NotAnObject")
    // Two spellings of one name (`a`, `\u0061`) count as two members, but result in one.
    return Object.keys(value).length === members ? Result.succeed(value) : Result.fail("DuplicateMember")
  })
}
