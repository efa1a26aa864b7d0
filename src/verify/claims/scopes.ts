/** The scopes of a token (RFC 8693, section 4.2; RFC 9068, section 2.2.3). Pure. */
import * as Result from "effect/Result"
import type { ClaimNames } from "../../config/GatewaySettings.ts"
import { firstClaim } from "../../identity/claimPath.ts"
import type { JsonObject } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"

// RFC 6749, section 3.3. Scopes are forwarded joined by spaces, so a scope that contains one would become two.
const scopeToken = /^[^\s\p{C}]+$/u

/** The default claims with scopes; `MCP_SCOPE_CLAIMS` replaces them. RFC 9068; Entra, Okta and others. */
const defaultScopeClaims: ReadonlyArray<string> = ["scope", "scp"]

type ScopeClaims = Pick<ClaimNames, "scopeClaims">

/**
 * Reads the scopes of `scope`, or of `scp` if there is no `scope`: a string of words or an array of strings. If
 * `scopeClaims` is set, reads the first of those claims that is present instead.
 *
 * An element of an array that is not one word is left out. Any other type is rejected.
 */
export const readScopes = (
  claims: JsonObject,
  { scopeClaims = defaultScopeClaims }: ScopeClaims = {}
): Result.Result<ReadonlyArray<string>, Rejection> => {
  const value = firstClaim(claims, scopeClaims)?.value
  if (value === undefined) return Result.succeed([])
  const elements: unknown = typeof value === "string" ? value.split(" ") : value
  return Array.isArray(elements) && elements.every((element) => typeof element === "string")
    ? Result.succeed(elements.filter((element) => scopeToken.test(element)))
    : Result.fail(rejection("ValidationFailed", "scopes are neither a string nor an array of strings"))
}

/** Like `readScopes`, but returns no scopes if the claim has another type. */
export const scopesOf = (claims: JsonObject, names: ScopeClaims = {}): ReadonlyArray<string> =>
  Result.getOrElse(readScopes(claims, names), () => [])
