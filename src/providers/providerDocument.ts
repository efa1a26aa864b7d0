/** The metadata of a provider, for the requests that the gateway sends to its endpoints. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { GatewaySettings, Provider } from "../config/GatewaySettings.ts"
import { ProviderUnavailable } from "../errors/GatewayError.ts"
import { type JsonObject, own } from "../remote/JsonObject.ts"
import { retryAfterSeconds } from "../remote/providerLimits.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { providerUrl } from "../remote/providerUrl.ts"
import { typeOf } from "./types.ts"

/** Builds the effect that returns the metadata of a provider; an empty document if its type has no metadata. */
export const providerDocument = (
  settings: Pick<GatewaySettings, "addedTypes">,
  provider: Provider,
  metadata: ProviderMetadata["Service"]
): Effect.Effect<JsonObject, ProviderUnavailable> => {
  const type = typeOf(settings, provider)
  const advertised = type.advertisedIssuers?.(provider) ?? []
  if (advertised.length === 0 || type.metadata === undefined) return Effect.succeed({})
  const source = type.metadata(provider, "openid-configuration")
  switch (source._tag) {
    case "Document":
      return Effect.succeed(source.document)
    case "Fetch":
    case "Redirect":
      return Effect.mapError(metadata.document(source.source), ({ detail }) => unavailableFor(provider, detail))
    case "NotSupported":
      return Effect.succeed({})
  }
}

const unavailableFor = ({ name }: Provider, detail: string): ProviderUnavailable =>
  new ProviderUnavailable({ provider: name, detail, retryAfter: retryAfterSeconds })

/**
 * Returns the URL of an endpoint if it may be requested. The URL is `undefined` if neither the settings nor the
 * metadata name it.
 */
export const usableEndpoint = (
  provider: Provider,
  member: string,
  setting: string,
  url: string | undefined
): Effect.Effect<string, ProviderUnavailable> => {
  if (url === undefined) {
    return Effect.fail(unavailableFor(provider, `the metadata do not name the ${member}; set it in ${setting}`))
  }
  const checked = providerUrl(url, provider.allowedDomains, provider.allowHttp)
  return Result.isSuccess(checked)
    ? Effect.succeed(checked.success.href)
    : Effect.fail(unavailableFor(provider, `the ${member} must not be used: ${checked.failure}`))
}

export const textMember = (document: JsonObject, name: string): string | undefined => {
  const value = own(document, name)
  return typeof value === "string" ? value : undefined
}

/** Returns `token_endpoint_auth_methods_supported`; empty if the metadata have no such member. */
export const authMethodsOf = (document: JsonObject): ReadonlyArray<string> => {
  const value = own(document, "token_endpoint_auth_methods_supported")
  return Array.isArray(value) ? value.filter((member) => typeof member === "string") : []
}
