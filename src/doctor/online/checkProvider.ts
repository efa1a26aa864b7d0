/** Checks an identity provider with every kind of request that the gateway will send to it. */
import * as Effect from "effect/Effect"
import type { GatewaySettings, Provider } from "../../config/GatewaySettings.ts"
import { show } from "../../errors/show.ts"
import { inTime, makeKeyFetch } from "../../keys/keyFetch.ts"
import * as KeySet from "../../keys/KeySet.ts"
import type { OnlineCheck } from "../../providers/ProviderType.ts"
import { typeOf } from "../../providers/types.ts"
import type { JsonObject } from "../../remote/JsonObject.ts"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { type MetadataSource, ProviderMetadata } from "../../remote/ProviderMetadata.ts"
import { credentialsRejected } from "../../verify/opaque/providerRejection.ts"
import { offersS256, registrationEndpoint, takesClientDocuments } from "../offers.ts"
import { error, note, ok, type OnlineFinding, warning } from "./OnlineFinding.ts"

type KeysCheck = Extract<OnlineCheck, { readonly _tag: "Keys" }>
type EndpointCheck = Extract<OnlineCheck, { readonly _tag: "Endpoint" }>

const shownKeys = 10

const several = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`

/** Checks whether a key set is usable for a provider's tokens. */
const checkKeys = (
  { algorithms }: Pick<KeysCheck, "algorithms">,
  uri: string,
  { keys, skipped }: KeySet.KeySet
): ReadonlyArray<OnlineFinding> => {
  const faults = skipped.filter(({ reason }) => reason !== "ForEncryption").slice(0, shownKeys)
    .map(({ index, kid, reason }) => `${kid === undefined ? `#${index}` : show(kid)}: ${reason}`)
  const ignored = faults.length === 0
    ? []
    : [note(`the key set has unusable members (${faults.join(", ")})`)]
  if (keys.length === 0) {
    return [error(`keys: ${uri} has no usable key, so no token can be verified. Check the URL.`), ...ignored]
  }
  const offered = [...new Set(keys.flatMap((key) => key.algorithms))]
  const fitting = keys.filter((key) => key.algorithms.some((algorithm) => algorithms.includes(algorithm)))
  const found = fitting.length === 0
    ? error(
      `keys: none of the keys at ${uri} is for ${algorithms.join(", ")}; they are for ${offered.join(", ")}. Set ` +
        "MCP_JWT_ALGORITHM to an algorithm that the provider signs with."
    )
    : ok(`keys: ${several(fitting.length, "usable key")} for ${algorithms.join(", ")} at ${uri}`)
  return [found, ...ignored]
}

/** Requests a key set, and checks whether it is usable. Never fails. */
export const checkKeySet = Effect.fnUntraced(function*(check: Pick<KeysCheck, "algorithms" | "source">) {
  const { source } = check
  const { fetchKeys, locate } = yield* makeKeyFetch
  const fetched = Effect.gen(function*() {
    const uri = yield* locate(source)
    const { keys } = yield* fetchKeys(source, uri)
    return checkKeys(check, uri, KeySet.fromJwks(keys))
  })
  return yield* Effect.catch(inTime(fetched), ({ detail }) => Effect.succeed([error(`keys: ${detail}`)]))
})

/**
 * Reports what MCP clients will miss in the metadata of an authorization server. Not needed if a facade has its own
 * metadata.
 */
const checkMetadata = (document: JsonObject, issuer: string, hasFacade: boolean): ReadonlyArray<OnlineFinding> => {
  const good = ok(`discovery: the document of ${issuer} names it as the issuer`)
  if (hasFacade) return [good]
  return [
    good,
    ...(offersS256(document) === true ? [] : [
      warning(
        "discovery: code_challenge_methods_supported does not list S256, so many MCP clients will not sign in. " +
          "Enable PKCE at the provider."
      )
    ]),
    ...(registrationEndpoint(document) !== undefined || takesClientDocuments(document) ? [] : [
      note("discovery: there is no registration_endpoint, so clients need a client id from you")
    ])
  ]
}

const checkDiscovery = Effect.fnUntraced(function*(source: MetadataSource, hasFacade: boolean) {
  const metadata = yield* ProviderMetadata
  return yield* Effect.match(metadata.document(source), {
    onFailure: ({ detail }): ReadonlyArray<OnlineFinding> => [
      warning(`discovery: ${detail}. Clients cannot find out from the issuer how to get a token.`)
    ],
    onSuccess: (document) => checkMetadata(document, source.issuer, hasFacade)
  })
})

const checkSource = Effect.fnUntraced(function*(check: KeysCheck, hasFacade: boolean) {
  const { metadata, source } = check
  const keys = yield* checkKeySet(check)
  const isFaulty = keys.some(({ level }) => level === "error")
  // If the keys are found through the document, its problems are already reported. An issuer that is not a URL has no
  // document.
  return (source._tag === "Discovery" && isFaulty) || !URL.canParse(metadata.discoveryUrl ?? metadata.issuer)
    ? keys
    : [...keys, ...(yield* checkDiscovery(metadata, hasFacade))]
})

const checkEndpoint = Effect.fnUntraced(function*({ credentials, good, name, probe }: EndpointCheck) {
  const { detail, reach } = yield* probe
  if (reach === "ready") return [ok(`${name}: ${good}`)]
  return [
    error(
      reach === "refused" && credentials !== undefined
        ? `${name}: ${detail}: ${credentialsRejected(credentials)}`
        : `${name}: ${detail}`
    )
  ]
})

/** Checks a provider. Never fails, and takes no longer than its requests may take. */
export const checkProvider = Effect.fnUntraced(function*(
  settings: GatewaySettings,
  provider: Provider
): Effect.fn.Return<ReadonlyArray<OnlineFinding>, never, ProviderHttp | ProviderMetadata> {
  const checks = typeOf(settings, provider).onlineChecks?.(provider) ?? []
  if (checks.length === 0) return [ok("it is complete as configured and needs no requests")]
  const found = yield* Effect.forEach(
    checks,
    (one): Effect.Effect<ReadonlyArray<OnlineFinding>, never, ProviderHttp | ProviderMetadata> =>
      one._tag === "Keys" ? checkSource(one, provider.facade !== undefined) : checkEndpoint(one),
    { concurrency: 8 }
  )
  return found.flat()
})
