/** Whom a token is about (RFC 7519, section 4.1.2; RFC 9068, section 2.2). Pure. */
import * as Result from "effect/Result"
import { type JsonObject, own } from "../../keys/JsonObject.ts"
import { type Refusal, refusal } from "../Refusal.ts"

// Enough for every identifier in use, and little enough for a header field.
const maxLength = 1024

// Half of a UTF-16 pair: no encoding has it, so that two different subjects would be handed on as one.
const loneSurrogate = /\p{Cs}/u

/** A claim that is a string of at most 1024 characters which can be handed on; `undefined` for everything else. */
export const readText = (claims: JsonObject, name: string): string | undefined => {
  const value = own(claims, name)
  return typeof value === "string" && value.length <= maxLength && !loneSurrogate.test(value) ? value : undefined
}

/** The OAuth client that the token was issued to: `client_id`, else `azp`. */
export const readClientId = (claims: JsonObject): string | undefined =>
  readText(claims, "client_id") ?? readText(claims, "azp")

/**
 * The `sub`, a non-empty string of at most 1024 characters; the client of a machine token that has none.
 *
 * Control characters are allowed, since every place that hands it on encodes it.
 */
export const readSubject = (claims: JsonObject): Result.Result<string, Refusal> => {
  const hasSubject = own(claims, "sub") !== undefined
  const subject = hasSubject ? readText(claims, "sub") : readClientId(claims)
  if (subject !== undefined && subject !== "") return Result.succeed(subject)
  return Result.fail(
    hasSubject && own(claims, "sub") !== ""
      ? refusal("ValidationFailed", "sub is not a string of at most 1024 characters")
      : refusal("MissingClaim", "neither sub nor a client id")
  )
}
