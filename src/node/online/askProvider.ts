/** Asks an identity provider all that the gateway will ask it, and says what it found. */
import * as Effect from "effect/Effect"
import type { IntrospectionProvider, JwtProvider, Provider, UserinfoProvider } from "../../config/GatewaySettings.ts"
import { issuersOf } from "../../config/kinds/issuerTemplate.ts"
import { show } from "../../errors/show.ts"
import type { JwksSource } from "../../keys/JwksSource.ts"
import { inTime, makeKeyFetch } from "../../keys/keyFetch.ts"
import * as KeySet from "../../keys/KeySet.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { type MetadataSource, ProviderMetadata } from "../../remote/ProviderMetadata.ts"
import { introspectionProbe, userinfoProbe } from "../../verify/opaque/probes.ts"
import { introspectionHttp, userinfoHttp } from "../../verify/opaque/providerHttp.ts"
import { credentialsRefused } from "../../verify/opaque/providerRefusal.ts"
import { remoteKeys } from "../../verify/registerProvider.ts"
import { error, type Finding, note, ok, warning } from "./Finding.ts"

const shownKeys = 10

const several = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`

/** What a key set is worth to a provider's tokens. */
const judgeKeys = (
  { algorithms }: JwtProvider,
  uri: string,
  { keys, skipped }: KeySet.KeySet
): ReadonlyArray<Finding> => {
  const faults = skipped.filter(({ reason }) => reason !== "ForEncryption").slice(0, shownKeys)
    .map(({ index, kid, reason }) => `${kid === undefined ? `#${index}` : show(kid)}: ${reason}`)
  const passedOver = faults.length === 0
    ? []
    : [note(`the key set has members that are of no use (${faults.join(", ")})`)]
  if (keys.length === 0) {
    return [error(`keys: ${uri} has no usable key, so that no token can be verified. Check the URL.`), ...passedOver]
  }
  const offered = [...new Set(keys.flatMap((key) => key.algorithms))]
  const fitting = keys.filter((key) => key.algorithms.some((algorithm) => algorithms.includes(algorithm)))
  const found = fitting.length === 0
    ? error(
      `keys: none of the keys at ${uri} is for ${algorithms.join(", ")}; they are for ${offered.join(", ")}. Set ` +
        "MCP_JWT_ALGORITHM to what the provider signs with."
    )
    : ok(`keys: ${several(fitting.length, "usable key")} for ${algorithms.join(", ")} at ${uri}`)
  return [found, ...passedOver]
}

const askForKeys = Effect.fnUntraced(function*(provider: JwtProvider, source: JwksSource) {
  const { ask, locate } = yield* makeKeyFetch
  const fetched = Effect.gen(function*() {
    const uri = yield* locate(source)
    const { keys } = yield* ask(source, uri)
    return judgeKeys(provider, uri, KeySet.fromJwks(keys))
  })
  return yield* Effect.catch(inTime(fetched), ({ detail }) => Effect.succeed([error(`keys: ${detail}`)]))
})

/** What MCP clients will miss in the metadata of an authorization server. */
const judgeMetadata = (document: JsonObject, issuer: string): ReadonlyArray<Finding> => {
  const methods = own(document, "code_challenge_methods_supported")
  const pkce = Array.isArray(methods) && methods.includes("S256")
  return [
    ok(`discovery: the document of ${issuer} names it as the issuer`),
    ...(pkce ? [] : [
      warning(
        "discovery: code_challenge_methods_supported does not list S256, so that many MCP clients refuse to sign in. " +
          "Enable PKCE at the provider."
      )
    ]),
    ...(typeof own(document, "registration_endpoint") === "string" ? [] : [
      note("discovery: there is no registration_endpoint, so that clients need a client id that you give them")
    ])
  ]
}

const askForMetadata = Effect.fnUntraced(function*(source: MetadataSource) {
  const metadata = yield* ProviderMetadata
  return yield* Effect.match(metadata.document(source), {
    onFailure: ({ detail }): ReadonlyArray<Finding> => [
      warning(`discovery: ${detail}. Clients that ask the issuer how to get a token will not find out.`)
    ],
    onSuccess: (document) => judgeMetadata(document, source.issuer)
  })
})

/** Keys that are where the operator says do not need the issuer's document, but clients do. */
const documentOf = (provider: JwtProvider, source: JwksSource): MetadataSource => {
  if (source._tag === "Discovery") return source
  const { allowHttp, allowedDomains, discoveryUrl, issuer, tenants } = provider
  const [first = issuer] = issuersOf(provider)
  return discoveryUrl === undefined
    ? { issuer: first, allowHttp, allowedDomains }
    : { issuer, tenants, discoveryUrl, allowHttp, allowedDomains }
}

const askForSource = Effect.fnUntraced(function*(provider: JwtProvider, source: JwksSource) {
  const keys = yield* askForKeys(provider, source)
  const document = documentOf(provider, source)
  const isFaulty = keys.some(({ level }) => level === "error")
  // Where the keys are found through the document, its faults have been told; a mere name has none.
  return (source._tag === "Discovery" && isFaulty) || !URL.canParse(document.discoveryUrl ?? document.issuer)
    ? keys
    : [...keys, ...(yield* askForMetadata(document))]
})

const askJwtProvider = Effect.fnUntraced(function*(provider: JwtProvider) {
  const sources = remoteKeys([provider])
  if (sources.length === 0) return [ok("keys: the public key is configured, so that nobody is asked")]
  const found = yield* Effect.forEach(sources, ({ source }) => askForSource(provider, source), { concurrency: 8 })
  return found.flat()
})

const credentials: Readonly<Record<IntrospectionProvider["clientAuth"]["method"], string>> = {
  basic: "MCP_CLIENT_ID and MCP_CLIENT_SECRET, or whether it wants MCP_CLIENT_AUTH=post",
  post: "MCP_CLIENT_ID and MCP_CLIENT_SECRET, or whether it wants MCP_CLIENT_AUTH=basic",
  bearer: "MCP_CLIENT_SECRET",
  none: "MCP_CLIENT_AUTH, since none are sent"
}

const placeOfIntrospection = ({ introspectionEndpoint, issuer }: IntrospectionProvider): string =>
  introspectionEndpoint ?? `the endpoint in the metadata of ${issuer}`

const askIntrospection = Effect.fnUntraced(function*(provider: IntrospectionProvider) {
  const { detail, reach } = yield* introspectionProbe(provider, yield* introspectionHttp(provider))
  switch (reach) {
    case "ready":
      return [ok(`introspection: ${placeOfIntrospection(provider)} answers, and knows nothing of a made-up token`)]
    case "refused":
      return [error(`introspection: ${detail}: ${credentialsRefused(credentials[provider.clientAuth.method])}`)]
    case "unavailable":
      return [error(`introspection: ${detail}`)]
  }
})

const askUserinfo = Effect.fnUntraced(function*(provider: UserinfoProvider) {
  const { detail, reach } = yield* userinfoProbe(provider, yield* userinfoHttp(provider))
  return reach === "ready"
    ? [ok(`userinfo: the endpoint of ${provider.issuer} answers, and refuses a made-up token`)]
    : [error(`userinfo: ${detail}`)]
})

/** Asks a provider; never fails, and takes no longer than its own exchanges may. */
export const askProvider = (
  provider: Provider
): Effect.Effect<ReadonlyArray<Finding>, never, ProviderHttp | ProviderMetadata> => {
  switch (provider.type) {
    case "authkit":
    case "oidc":
      return askJwtProvider(provider)
    case "introspection":
      return askIntrospection(provider)
    case "userinfo":
      return askUserinfo(provider)
    case "static":
      return Effect.succeed([ok("static tokens need nobody to be asked")])
  }
}
