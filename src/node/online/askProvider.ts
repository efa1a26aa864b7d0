/** Asks an identity provider all that the gateway will ask it, and says what it found. */
import * as Effect from "effect/Effect"
import type { IntrospectionProvider, JwtProvider, Provider, UserinfoProvider } from "../../config/GatewaySettings.ts"
import { type JsonObject, own } from "../../keys/JsonObject.ts"
import type { JwksSource } from "../../keys/JwksSource.ts"
import { inTime, makeKeyFetch } from "../../keys/keyFetch.ts"
import * as KeySet from "../../keys/KeySet.ts"
import { ProviderHttp } from "../../keys/ProviderHttp.ts"
import { ProviderMetadata } from "../../keys/ProviderMetadata.ts"
import { show } from "../../keys/show.ts"
import { introspectionProbe, userinfoProbe } from "../../verify/opaque/probes.ts"
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

const askForMetadata = Effect.fnUntraced(function*({ allowHttp, allowedDomains, issuer }: JwtProvider) {
  if (!URL.canParse(issuer)) return []
  const metadata = yield* ProviderMetadata
  return yield* Effect.match(metadata.document({ issuer, allowedDomains, allowHttp }), {
    onFailure: ({ detail }): ReadonlyArray<Finding> => [
      warning(`discovery: ${detail}. Clients that ask the issuer how to get a token will not find out.`)
    ],
    onSuccess: (document) => judgeMetadata(document, issuer)
  })
})

const askJwtProvider = Effect.fnUntraced(function*(provider: JwtProvider) {
  const source = remoteKeys([provider])[0]?.source
  if (source === undefined) return [ok("keys: the public key is configured, so that nobody is asked")]
  const keys = yield* askForKeys(provider, source)
  // Where the keys are found through the document, its faults have been told.
  if (source._tag === "Discovery" && keys.some(({ level }) => level === "error")) return keys
  return [...keys, ...(yield* askForMetadata(provider))]
})

const credentials: Readonly<Record<IntrospectionProvider["clientAuth"]["method"], string>> = {
  basic: "MCP_CLIENT_ID and MCP_CLIENT_SECRET, or whether it wants MCP_CLIENT_AUTH=post",
  post: "MCP_CLIENT_ID and MCP_CLIENT_SECRET, or whether it wants MCP_CLIENT_AUTH=basic",
  bearer: "MCP_CLIENT_SECRET",
  none: "MCP_CLIENT_AUTH, since none are sent"
}

const askIntrospection = Effect.fnUntraced(function*(provider: IntrospectionProvider) {
  const { detail, reach } = yield* introspectionProbe(provider, yield* ProviderHttp)
  switch (reach) {
    case "ready":
      return [ok(`introspection: ${provider.introspectionEndpoint} answers, and knows nothing of a made-up token`)]
    case "refused":
      return [error(`introspection: ${detail}: ${credentialsRefused(credentials[provider.clientAuth.method])}`)]
    case "unavailable":
      return [error(`introspection: ${detail}`)]
  }
})

const askUserinfo = Effect.fnUntraced(function*(provider: UserinfoProvider) {
  const { detail, reach } = yield* userinfoProbe(provider, yield* ProviderHttp)
  return reach === "ready"
    ? [ok(`userinfo: ${provider.userinfoEndpoint} answers, and refuses a made-up token`)]
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
