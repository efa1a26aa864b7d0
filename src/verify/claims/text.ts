import { type JsonObject, own } from "../../remote/JsonObject.ts"

/** Longer than every identifier in use, and short enough for a header field. */
export const maxTextLength = 1024

// Half of a UTF-16 pair: it cannot be encoded, so that two different subjects would be forwarded as the same.
const loneSurrogate = /\p{Cs}/u

/** Returns a value that is a string of at most 1024 characters and can be forwarded; `undefined` for everything else. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value.length <= maxTextLength && !loneSurrogate.test(value) ? value : undefined

/** Returns the claim of this name, if it is such a string. */
export const readText = (claims: JsonObject, name: string): string | undefined => textOf(own(claims, name))
