import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import { carryOver } from "../config/carryOver.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { ClientMetadata } from "../facade/ClientMetadata.ts"
import { JwksCache } from "../keys/JwksCache.ts"
import { ProviderHttp } from "../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { layerDocuments } from "../verify/layers.ts"
import { makeClientDocuments } from "./outbound/clientDocuments.ts"
import * as ProviderClient from "./outbound/ProviderClient.ts"
import { sharedBy } from "./store/layerStore.ts"

const makeProviders = Effect.fnUntraced(function*<E>(store: Layer.Layer<KeyValueStore.KeyValueStore, E>) {
  const settings = yield* GatewayConfig
  const outbound = yield* ProviderClient.readOutbound(settings)
  const services = yield* carryOver(
    "providers",
    [outbound.authorities?.digest, outbound.sendsRequests, ...(yield* sharedBy(settings))],
    Layer.build(Layer.fresh(layerDocuments.pipe(
      Layer.provide([ProviderClient.layerWith(outbound), store])
    )))
  )
  // A program may provide its own way to fetch the documents of clients.
  const given = yield* ClientMetadata
  const documents = given.isSupported ? given : yield* carryOver(
    "documents of clients",
    [outbound.authorities?.digest],
    makeClientDocuments(outbound.authorities)
  )
  const metadata = Context.get(services, ProviderMetadata)
  const keys = Context.get(services, JwksCache)
  const leased = { metadata: metadata.lease?.(), keys: keys.lease?.() }
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      leased.keys?.release()
      leased.metadata?.release()
    })
  )
  return Context.make(ProviderHttp, Context.get(services, ProviderHttp)).pipe(
    Context.add(ProviderMetadata, leased.metadata?.service ?? metadata),
    Context.add(JwksCache, leased.keys?.service ?? keys),
    Context.add(ClientMetadata, documents)
  )
})

/**
 * The keys and documents of providers, and the way to them. Instances share the contents of the store.
 *
 * A changed configuration takes them over unless the way has changed: the authorities of `MCP_CA_FILE`, or whether requests
 * are sent at all. It drops those of providers that it does not have.
 */
export const layerProvidersWith = <E>(
  store: Layer.Layer<KeyValueStore.KeyValueStore, E>
): Layer.Layer<JwksCache | ProviderHttp | ProviderMetadata, E | InvalidConfiguration, GatewayConfig> =>
  Layer.effectContext(makeProviders(store))
