/** Checks the facade of a provider with requests that need no user. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { OAuthRejected } from "../../errors/GatewayError.ts"
import { assertionKeys } from "../../facade/assertionKeys.ts"
import { type FacadeProvider, facadeUrl } from "../../facade/places.ts"
import { makeProviderEndpoints, type ProviderEndpoints } from "../../facade/ProviderEndpoints.ts"
import { hiddenField, makeRelay } from "../../facade/relay.ts"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import type { ProviderMetadata } from "../../remote/ProviderMetadata.ts"
import { checkKeySet } from "./checkProvider.ts"
import { error, ok, type OnlineFinding } from "./OnlineFinding.ts"

const madeUp = "a-made-up-code-of-mcp-authorizer--check--online"

const codeRejected = (detail: string) => new OAuthRejected({ error: "invalid_grant", reason: "Code", detail })

/** Presents an invalid code: the provider must reject the code, but not the client that presents it. */
const checkClient = Effect.fnUntraced(function*(
  settings: GatewaySettings,
  provider: FacadeProvider,
  endpoints: ProviderEndpoints
) {
  const relay = yield* makeRelay(provider)
  const form = [
    ["grant_type", "authorization_code"] as const,
    hiddenField("code", madeUp),
    ["redirect_uri", facadeUrl(settings, "callback")] as const,
    ...(provider.facade.pkce ? [hiddenField("code_verifier", madeUp)] : [])
  ]
  return yield* Effect.match(relay.token("", endpoints, form, codeRejected), {
    onSuccess: () => ok(`client: ${endpoints.token} accepts the gateway's client`),
    onFailure: (failure) =>
      failure._tag === "OAuthRejected"
        ? ok(`client: ${endpoints.token} knows the gateway's client, and rejects a made-up code`)
        : error(`client: ${failure.detail}`)
  })
})

const checkEndpoints = Effect.fnUntraced(function*(settings: GatewaySettings, provider: FacadeProvider) {
  const { find } = yield* makeProviderEndpoints(settings, provider)
  return yield* Effect.matchEffect(find, {
    onFailure: ({ detail }) => Effect.succeed([error(`endpoints: ${detail}`)]),
    onSuccess: (endpoints) =>
      Effect.map(
        checkClient(settings, provider, endpoints),
        (client) => [ok(`endpoints: users sign in at ${endpoints.authorize}`), client]
      )
  })
})

/** Checks the issuer of assertions, unless it is the provider, whose keys `checkProvider` requests. */
const checkAssertions = Effect.fnUntraced(function*(settings: GatewaySettings, provider: FacadeProvider) {
  const keys = assertionKeys(settings, provider)
  if (keys === undefined || provider.facade.assertionIssuer === undefined) return []
  const findings = yield* checkKeySet(keys)
  return findings.map(({ level, text }): OnlineFinding => ({ level, text: `assertion_issuer: ${text}` }))
})

/** Checks the facade of a provider. Never fails. */
export const checkFacade = (
  settings: GatewaySettings,
  provider: FacadeProvider
): Effect.Effect<ReadonlyArray<OnlineFinding>, never, ProviderHttp | ProviderMetadata> =>
  Effect.all([checkEndpoints(settings, provider), checkAssertions(settings, provider)], { concurrency: 2 }).pipe(
    Effect.map((findings) => findings.flat()),
    Effect.provide(SecureRandom.layerWebCrypto)
  )
