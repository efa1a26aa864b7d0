/** Values and services that the endpoints of one facade share. */
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { resourceUrl, withoutSlash } from "../config/kinds/resourceUrl.ts"
import { OAuthRejected } from "../errors/GatewayError.ts"
import { makeCheckAssertion } from "./assertion.ts"
import { ClientMetadata } from "./ClientMetadata.ts"
import { makeFindClient } from "./clients.ts"
import { facadeIssuer, type FacadeProvider, providerIssuer } from "./places.ts"
import { makeProviderEndpoints } from "./ProviderEndpoints.ts"
import { makeRelay } from "./relay.ts"
import { scopeNames } from "./scopes.ts"
import { makeSealer } from "./Sealer.ts"

const encoder = new TextEncoder()

type Added = FacadeProvider["facade"]["authorizeParameters"]

/**
 * Parameters that the operator adds to requests; `{resource}` in a value is replaced by the identifier of the MCP
 * server.
 */
const addedParameters = (parameters: Added, resource: string): Added =>
  parameters.map(([name, value]) => [name, value.replaceAll("{resource}", resource)])

export const makeParts = Effect.fnUntraced(function*(settings: GatewaySettings, provider: FacadeProvider) {
  const digest = yield* Digest.Digest
  const random = yield* SecureRandom.SecureRandom
  const issuer = facadeIssuer(settings)
  const resource = resourceUrl(settings.publicUrl ?? "", settings.path)
  const { authorizeParameters, tokenParameters } = provider.facade
  return {
    settings,
    provider,
    issuer,
    /** The identifier of the MCP server, which `resource` must name. */
    resource,
    authorizeParameters: addedParameters(authorizeParameters, resource),
    tokenParameters: addedParameters(tokenParameters, resource),
    scopes: scopeNames(settings, provider),
    sealer: yield* makeSealer(settings, [issuer, providerIssuer(provider)]),
    endpoints: (yield* makeProviderEndpoints(settings, provider)).find,
    checkAssertion: yield* makeCheckAssertion(settings, provider),
    findClient: makeFindClient(provider, yield* ClientMetadata),
    relay: yield* makeRelay(provider),
    /** 256 random bits in base64url: a PKCE verifier, or the secret of a browser. */
    randomText: Effect.orDie(Effect.map(random.randomBytes(32), Base64Url.encode)),
    /** The PKCE challenge of a verifier (RFC 7636, section 4.2). */
    challengeOf: (verifier: string) =>
      Effect.orDie(Effect.map(digest.digest(Digest.sha256, encoder.encode(verifier)), Base64Url.encode))
  }
})

export type FacadeParts = Effect.Success<ReturnType<typeof makeParts>>

/** Rejects a `resource` that is not this MCP server (RFC 8707, section 2). */
export const requireResource = (
  { resource }: Pick<FacadeParts, "resource">,
  asked: string | undefined
): Effect.Effect<void, OAuthRejected> =>
  asked === undefined || withoutSlash(asked) === resource
    ? Effect.void
    : Effect.fail(
      new OAuthRejected({ error: "invalid_target", reason: "Resource", detail: "resource names another server" })
    )

/** The value of `resource` in requests to the provider. */
export const resourceForProvider = ({ provider, resource }: FacadeParts): string | undefined =>
  provider.facade.resource === "keep" ? resource : provider.facade.resource
