/** The claims that an identity keeps. Pure. */
import { type JsonObject, own } from "../../remote/JsonObject.ts"

/** In characters of JSON. The longest configurable token is not much longer. */
const maxCharacters = 65_536

/** The claims that identify the caller, and the times of the token. */
const kept = [
  "iss",
  "sub",
  "aud",
  "exp",
  "nbf",
  "iat",
  "jti",
  "client_id",
  "azp",
  "appid",
  "cid",
  "email",
  "email_verified",
  "name"
]

const sizeOf = (claims: JsonObject): number => JSON.stringify(claims).length

/** Returns the claims; if they exceed 64 KiB, only those that identify the caller, and the times. */
export const boundedClaims = (
  claims: JsonObject
): { readonly claims: JsonObject; readonly isComplete: boolean } => {
  if (sizeOf(claims) <= maxCharacters) return { claims, isComplete: true }
  const rest = Object.fromEntries(kept.flatMap((name) => {
    const claim = own(claims, name)
    return claim === undefined ? [] : [[name, claim]]
  }))
  return { claims: sizeOf(rest) <= maxCharacters ? rest : {}, isComplete: false }
}
