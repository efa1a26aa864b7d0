/** The endpoints of the provider behind a facade. */
import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { ProviderUnavailable } from "../errors/GatewayError.ts"
import { authMethodsOf, providerDocument, textMember, usableEndpoint } from "../providers/providerDocument.ts"
import { typeOf } from "../providers/types.ts"
import { type JsonObject, own } from "../remote/JsonObject.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import type { FacadeProvider } from "./places.ts"

export interface ProviderEndpoints {
  readonly authorize: string
  readonly token: string
  readonly revoke: string | undefined
  /** The issuers that an authorization response may name in `iss`. */
  readonly issuers: ReadonlyArray<string>
  /** Whether authorization responses always have `iss` (RFC 9207, section 3). */
  readonly namesIssuer: boolean
  /** `token_endpoint_auth_methods_supported`; empty if the metadata lack it. */
  readonly authMethods: ReadonlyArray<string>
}

/** Builds the effect that finds the endpoints; the metadata of the provider are cached. */
export const makeProviderEndpoints = Effect.fnUntraced(function*(
  settings: Pick<GatewaySettings, "addedTypes">,
  provider: FacadeProvider
) {
  const metadata = yield* ProviderMetadata
  const { facade } = provider
  const type = typeOf(settings, provider)
  const advertised = type.advertisedIssuers?.(provider) ?? []
  const tokens = type.ownTokens(provider)
  const issuers = [...advertised, ...(tokens._tag === "JwtsOf" ? tokens.issuers : [])]

  const isConfigured = facade.authorizeEndpoint !== undefined && facade.tokenEndpoint !== undefined
  const document = isConfigured ? Effect.succeed<JsonObject>({}) : providerDocument(settings, provider, metadata)
  const usable = (member: string, url: string | undefined) => usableEndpoint(provider, member, "the facade", url)

  const endpoints = Effect.gen(function*(): Effect.fn.Return<ProviderEndpoints, ProviderUnavailable> {
    const found = yield* document
    const issuer = textMember(found, "issuer")
    const revoke = facade.revocationEndpoint ?? textMember(found, "revocation_endpoint")
    return {
      authorize: yield* usable(
        "authorization_endpoint",
        facade.authorizeEndpoint ?? textMember(found, "authorization_endpoint")
      ),
      token: yield* usable("token_endpoint", facade.tokenEndpoint ?? textMember(found, "token_endpoint")),
      revoke: revoke === undefined ? undefined : yield* usable("revocation_endpoint", revoke),
      issuers: issuer === undefined ? issuers : [issuer, ...issuers],
      namesIssuer: own(found, "authorization_response_iss_parameter_supported") === true,
      authMethods: authMethodsOf(found)
    }
  })
  // Not looked up in advance: each use gets the current metadata, which are cached.
  return { find: endpoints }
})
