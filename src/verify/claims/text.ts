import { type JsonObject, own } from "../../remote/JsonObject.ts"

/** Longer than any identifier in use, and short enough for a header field. */
export const maxTextLength = 1024

// One half of a UTF-16 pair cannot be encoded in UTF-8, so two different subjects would be forwarded as the same.
const loneSurrogate = /\p{Cs}/u

/** Returns a value if it is a string of at most 1024 characters that can be forwarded; otherwise `undefined`. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value.length <= maxTextLength && !loneSurrogate.test(value) ? value : undefined

/** Returns the claim of this name, if it is a string that `textOf` accepts. */
export const readText = (claims: JsonObject, name: string): string | undefined => textOf(own(claims, name))
