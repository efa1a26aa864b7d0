/** The endpoints of the provider behind a facade. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { ProviderUnavailable } from "../errors/GatewayError.ts"
import { type AuthorizationServerMetadata } from "../providers/AuthorizationServerMetadata.ts"
import { typeOf } from "../providers/types.ts"
import { type JsonObject, own } from "../remote/JsonObject.ts"
import { retryAfterSeconds } from "../remote/providerLimits.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { providerUrl } from "../remote/providerUrl.ts"
import type { FacadeProvider } from "./places.ts"

/** Where the provider is, and what it says of itself. */
export interface ProviderEndpoints {
  readonly authorize: string
  readonly token: string
  readonly revoke: string | undefined
  /** The issuers that `iss` in an authorization response may name. */
  readonly issuers: ReadonlyArray<string>
  /** Whether authorization responses always have `iss` (RFC 9207, section 3). */
  readonly namesIssuer: boolean
  /** `token_endpoint_auth_methods_supported`; empty if the metadata do not say. */
  readonly authMethods: ReadonlyArray<string>
}

const strings = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((member) => typeof member === "string") : []

const text = (document: JsonObject, name: string): string | undefined => {
  const value = own(document, name)
  return typeof value === "string" ? value : undefined
}

/** Builds the effect that finds the endpoints; the metadata of the provider are cached. */
export const makeProviderEndpoints = Effect.fnUntraced(function*(
  settings: Pick<GatewaySettings, "addedTypes">,
  provider: FacadeProvider
) {
  const metadata = yield* ProviderMetadata
  const { allowHttp, allowedDomains, facade, name } = provider
  const type = typeOf(settings, provider)
  const advertised = type.advertisedIssuers?.(provider) ?? []
  const tokens = type.ownTokens(provider)
  const issuers = [...advertised, ...(tokens._tag === "JwtsOf" ? tokens.issuers : [])]

  const unavailable = (detail: string) =>
    new ProviderUnavailable({ provider: name, detail, retryAfter: retryAfterSeconds })

  const documentOf = (source: AuthorizationServerMetadata): Effect.Effect<JsonObject, ProviderUnavailable> => {
    switch (source._tag) {
      case "Document":
        return Effect.succeed(source.document)
      case "Fetch":
      case "Redirect":
        return Effect.mapError(metadata.document(source.source), ({ detail }) => unavailable(detail))
      case "NotSupported":
        return Effect.succeed({})
    }
  }

  const isConfigured = facade.authorizeEndpoint !== undefined && facade.tokenEndpoint !== undefined
  const document = isConfigured || advertised.length === 0 || type.metadata === undefined
    ? Effect.succeed<JsonObject>({})
    : documentOf(type.metadata(provider, "openid-configuration"))

  const usable = (member: string, url: string | undefined): Effect.Effect<string, ProviderUnavailable> => {
    if (url === undefined) {
      return Effect.fail(unavailable(`the metadata do not name the ${member}; set it in the facade`))
    }
    const checked = providerUrl(url, allowedDomains, allowHttp)
    return Result.isSuccess(checked)
      ? Effect.succeed(checked.success.href)
      : Effect.fail(unavailable(`the ${member} must not be used: ${checked.failure}`))
  }

  const endpoints = Effect.gen(function*(): Effect.fn.Return<ProviderEndpoints, ProviderUnavailable> {
    const found = yield* document
    const issuer = text(found, "issuer")
    const revoke = facade.revocationEndpoint ?? text(found, "revocation_endpoint")
    return {
      authorize: yield* usable(
        "authorization_endpoint",
        facade.authorizeEndpoint ?? text(found, "authorization_endpoint")
      ),
      token: yield* usable("token_endpoint", facade.tokenEndpoint ?? text(found, "token_endpoint")),
      revoke: revoke === undefined ? undefined : yield* usable("revocation_endpoint", revoke),
      issuers: issuer === undefined ? issuers : [issuer, ...issuers],
      namesIssuer: own(found, "authorization_response_iss_parameter_supported") === true,
      authMethods: strings(own(found, "token_endpoint_auth_methods_supported"))
    }
  })
  // Looked up at each use: the metadata are cached.
  return { find: endpoints }
})
