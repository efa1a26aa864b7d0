import { type JsonObject, own } from "../../remote/JsonObject.ts"

/** Enough for every identifier in use, and little enough for a header field. */
export const maxTextLength = 1024

// Half of a UTF-16 pair: no encoding has it, so that two different subjects would be handed on as one.
const loneSurrogate = /\p{Cs}/u

/** A claim that is a string of at most 1024 characters which can be handed on; `undefined` for everything else. */
export const readText = (claims: JsonObject, name: string): string | undefined => {
  const value = own(claims, name)
  return typeof value === "string" && value.length <= maxTextLength && !loneSurrogate.test(value) ? value : undefined
}
