/** The gateway's errors as errors of the official MCP SDK. */
import * as Match from "effect/Match"
import type { CredentialError } from "../credential/parseAuthorization.ts"
import type { InvalidTokenReason, VerificationError } from "../errors/GatewayError.ts"
import { accessDeniedText, insufficientScopeText, invalidTokenTexts, tokenTooLongText } from "../http/errorTexts.ts"

/**
 * The error classes of the official SDK, by which its `requireBearerAuth` decides between 401, 403 and 500.
 *
 * 1.x: the module `@modelcontextprotocol/sdk/server/auth/errors.js`, from the same copy of the SDK as `requireBearerAuth`
 * (not one by `import` and one by `require`), because it uses `instanceof`. 2.x: `OAuthError` of
 * `@modelcontextprotocol/server`.
 */
export type SdkErrors =
  | {
    readonly InvalidTokenError: new(description: string) => Error
    readonly InsufficientScopeError: new(description: string) => Error
  }
  | { readonly OAuthError: new(code: string, description: string) => Error }

const invalidToken = (sdk: SdkErrors, description: string): Error =>
  "InvalidTokenError" in sdk ? new sdk.InvalidTokenError(description) : new sdk.OAuthError("invalid_token", description)

/** The only error for which `requireBearerAuth` responds with 403. */
const insufficientScope = (sdk: SdkErrors, description: string): Error =>
  "InvalidTokenError" in sdk
    ? new sdk.InsufficientScopeError(description)
    : new sdk.OAuthError("insufficient_scope", description)

export type TokenError = CredentialError | VerificationError

/** Converts an error to the SDK's. `ProviderUnavailable` is not converted, and the SDK responds with 500. */
export const toSdkError = (sdk: SdkErrors): (error: TokenError) => Error => {
  const rejected = (reason: InvalidTokenReason) => invalidToken(sdk, invalidTokenTexts[reason])
  const malformed = () => rejected("MalformedToken")
  return Match.typeTags<TokenError, Error>()({
    InvalidToken: ({ reason }) => rejected(reason),
    MissingCredential: malformed,
    UnsupportedCredential: malformed,
    InvalidRequest: malformed,
    CredentialTooLarge: () => invalidToken(sdk, tokenTooLongText),
    InsufficientScope: () => insufficientScope(sdk, insufficientScopeText),
    AccessDenied: () => insufficientScope(sdk, accessDeniedText),
    ProviderUnavailable: (error) => error
  })
}
