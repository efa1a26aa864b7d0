/** Tokens that prove something, but not that their bearer may call. Pure. */
import { type JsonObject, own } from "../../keys/JsonObject.ts"
import { type Refusal, refusal } from "../Refusal.ts"

// OpenID Connect Core 1.0, sections 2 and 3.1.3.6
const idTokenClaims = ["nonce", "at_hash", "c_hash"]

/**
 * Refuses ID tokens, which prove to a client who logged in and are no access tokens: Keycloak's (`typ: "ID"`), Cognito's
 * (`token_use: "id"`), and all that carry claims which only ID tokens have.
 */
export const checkIsNotIdToken = (claims: JsonObject): Refusal | undefined =>
  own(claims, "typ") === "ID" || own(claims, "token_use") === "id" ||
    idTokenClaims.some((name) => Object.hasOwn(claims, name))
    ? refusal("ValidationFailed", "an ID token")
    : undefined

/**
 * Refuses sender-constrained tokens: as a plain bearer token one would be worth more to a thief than its issuer meant
 * (RFC 7800; RFC 8705, section 3; RFC 9449, section 7.1).
 */
export const checkIsBearer = (claims: JsonObject): Refusal | undefined =>
  Object.hasOwn(claims, "cnf") ? refusal("ValidationFailed", "a sender-constrained token") : undefined
