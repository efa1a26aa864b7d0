/**
 * The conformance suites for `TokenVerifier` layers, as properties over generated tokens.
 *
 * `suite` is for verifiers of JWTs, `suiteOpaque` for verifiers of opaque tokens. A verifier's `peek` is called before
 * each verification and must return the same identity or nothing.
 */
import type * as Layer from "effect/Layer"
import type { TokenVerifier } from "../verify/TokenVerifier.ts"
import type { Requirement } from "./Requirement.ts"
import { type CheckOptions, checkRequirements, type RequirementResult } from "./requirementTests.ts"
import { suite as registerSuite } from "./suite.ts"
import { acceptance } from "./tokenVerifier/acceptance.ts"
import { claims } from "./tokenVerifier/claims.ts"
import { headers } from "./tokenVerifier/headers.ts"
import { jwtHistory } from "./tokenVerifier/jwtHistory.ts"
import { jwtSecrecy } from "./tokenVerifier/jwtSecrecy.ts"
import { type JwtVerifierOptions, resolveOptions } from "./tokenVerifier/JwtVerifierOptions.ts"
import { opaque } from "./tokenVerifier/opaque.ts"
import type { OpaqueTokens } from "./tokenVerifier/OpaqueTokens.ts"
import {
  type OpaqueVerifierOptions,
  OpaqueVerifierUnderTest,
  resolveOpaqueOptions
} from "./tokenVerifier/OpaqueVerifierUnderTest.ts"
import { outages } from "./tokenVerifier/outages.ts"
import { persistence } from "./tokenVerifier/persistence.ts"
import { reasons } from "./tokenVerifier/reasons.ts"
import { signatures } from "./tokenVerifier/signatures.ts"
import { spelling } from "./tokenVerifier/spelling.ts"
import { steadiness } from "./tokenVerifier/steadiness.ts"
import { times } from "./tokenVerifier/times.ts"
import { type VerifierNeeds, VerifierUnderTest } from "./tokenVerifier/VerifierUnderTest.ts"

export type { JwtVerifierOptions } from "./tokenVerifier/JwtVerifierOptions.ts"
export { type Bearer, issuerTokens, type OpaqueTokens, type Outage } from "./tokenVerifier/OpaqueTokens.ts"
export {
  type OpaqueClaim,
  type OpaqueVerifierOptions,
  OpaqueVerifierUnderTest
} from "./tokenVerifier/OpaqueVerifierUnderTest.ts"
export { type VerifierNeeds, VerifierUnderTest } from "./tokenVerifier/VerifierUnderTest.ts"

/** The requirements on a verifier of JWTs, to select or run them yourself. */
export const requirements = (options: JwtVerifierOptions = {}): ReadonlyArray<Requirement<VerifierUnderTest>> => {
  const settings = resolveOptions(options)
  return [
    ...acceptance(settings),
    ...spelling(settings),
    ...signatures(settings),
    ...headers(settings),
    ...claims(settings),
    ...times(settings),
    ...steadiness(settings),
    ...outages(settings),
    ...persistence(settings),
    ...jwtHistory(settings),
    jwtSecrecy,
    ...reasons(settings)
  ]
}

/** A verifier of JWTs with the issuers that the requirements need. Dies if the verifier cannot be built. */
export const layer = <E>(
  subject: Layer.Layer<TokenVerifier, E, VerifierNeeds>,
  options: JwtVerifierOptions = {}
): Layer.Layer<VerifierUnderTest> => VerifierUnderTest.layer(subject, resolveOptions(options))

/**
 * Registers the tests of a verifier of JWTs, one for each requirement.
 *
 * Use it for every `TokenVerifier` that verifies JWTs itself. The suite builds the verifier against a `TestIssuer`, often
 * several times: take the issuer's URLs from that service, and send requests through the provided `HttpClient`. The clock
 * is `TestClock`. The options describe the verifier; requirements that do not apply to it are left out.
 *
 * **Example** (a verifier for ES256)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import type { TokenVerifier } from "mcp-authorizer"
 * import { TestIssuer, TokenVerifierTest } from "mcp-authorizer/testing"
 *
 * declare const acmeVerifier: (issuer: string, jwksUri: string) => Layer.Layer<TokenVerifier>
 *
 * const Subject = Layer.unwrap(Effect.map(TestIssuer, ({ issuer, jwksUri }) => acmeVerifier(issuer, jwksUri)))
 *
 * TokenVerifierTest.suite("acme", Subject, { algorithms: ["ES256"] })
 * ```
 *
 * Sources: RFC 7515, RFC 7519, RFC 8725, RFC 9068.
 */
export const suite = <E>(
  name: string,
  subject: Layer.Layer<TokenVerifier, E, VerifierNeeds>,
  options: JwtVerifierOptions & CheckOptions = {}
): void => registerSuite(`TokenVerifier (${name})`, layer(subject, options), requirements(options), options)

/** Checks a verifier of JWTs without a test runner: `suite` with the results as a value. */
export const check = <E>(
  subject: Layer.Layer<TokenVerifier, E, VerifierNeeds>,
  options: JwtVerifierOptions & CheckOptions = {}
): Promise<ReadonlyArray<RequirementResult>> =>
  checkRequirements(layer(subject, options), requirements(options), options)

/** The requirements on a verifier of opaque tokens, to select or run them yourself. */
export const requirementsOpaque = (
  options: OpaqueVerifierOptions = {}
): ReadonlyArray<Requirement<OpaqueVerifierUnderTest>> => opaque(resolveOpaqueOptions(options))

/** A verifier of opaque tokens with its provider. Dies if the verifier cannot be built. */
export const layerOpaque = <R, E>(
  subject: Layer.Layer<TokenVerifier | R, E, VerifierNeeds>,
  tokens: OpaqueTokens<R | VerifierNeeds>,
  options: OpaqueVerifierOptions = {}
): Layer.Layer<OpaqueVerifierUnderTest> => OpaqueVerifierUnderTest.layer(subject, tokens, resolveOpaqueOptions(options))

/**
 * Registers the tests of a verifier of opaque tokens, one for each requirement.
 *
 * Use it for every `TokenVerifier` that needs a provider or a table: userinfo, introspection, API keys. `tokens` defines
 * how a token is issued and revoked; use `issuerTokens()` for tokens of the suite's own `TestIssuer`. The layer must
 * provide any other services that `tokens` needs.
 *
 * **Example** (API keys in a table)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import type * as Layer from "effect/Layer"
 * import type { TokenVerifier } from "mcp-authorizer"
 * import { TokenVerifierTest } from "mcp-authorizer/testing"
 *
 * declare const ApiKeyVerifier: Layer.Layer<TokenVerifier>
 * declare const create: (bearer: TokenVerifierTest.Bearer) => Effect.Effect<string>
 * declare const remove: (key: string) => Effect.Effect<void>
 *
 * TokenVerifierTest.suiteOpaque("API keys", ApiKeyVerifier, {
 *   issue: create,
 *   revoke: remove,
 *   outages: Effect.succeed([])
 * }, { says: ["scopes"], remembers: "0 seconds" })
 * ```
 *
 * Sources: RFC 6750, RFC 7662, OpenID Connect Core 1.0.
 */
export const suiteOpaque = <R, E>(
  name: string,
  subject: Layer.Layer<TokenVerifier | R, E, VerifierNeeds>,
  tokens: OpaqueTokens<R | VerifierNeeds>,
  options: OpaqueVerifierOptions & CheckOptions = {}
): void =>
  registerSuite(
    `TokenVerifier (${name})`,
    layerOpaque(subject, tokens, options),
    requirementsOpaque(options),
    options
  )

/** Checks a verifier of opaque tokens without a test runner: `suiteOpaque` with the results as a value. */
export const checkOpaque = <R, E>(
  subject: Layer.Layer<TokenVerifier | R, E, VerifierNeeds>,
  tokens: OpaqueTokens<R | VerifierNeeds>,
  options: OpaqueVerifierOptions & CheckOptions = {}
): Promise<ReadonlyArray<RequirementResult>> =>
  checkRequirements(layerOpaque(subject, tokens, options), requirementsOpaque(options), options)
