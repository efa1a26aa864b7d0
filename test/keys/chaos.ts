/** The basis of the tests of outage and abuse: providers whose traffic can be awaited, logs and counters. */
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import type { Provider } from "../../src/config/GatewaySettings.ts"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import { JwksCache } from "../../src/keys/JwksCache.ts"
import { ProviderHttp } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import { makeVerifiedTokens } from "../../src/verify/VerifiedTokens.ts"
import { skew } from "../verify/support.ts"

export const jwksPath = "/oauth2/jwks"

/** One turn of the event loop: everything that is ready to run has run. */
const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** How many questions to providers are under way. */
class Traffic extends Context.Service<Traffic, { inFlight: number }>()("mcp-authorizer/test/keys/chaos/Traffic") {
  static readonly layer = Layer.sync(Traffic, () => ({ inFlight: 0 }))
}

const WatchedHttp = Layer.effect(
  ProviderHttp,
  Effect.gen(function*() {
    const http = yield* ProviderHttp.make
    const traffic = yield* Traffic
    return ProviderHttp.of({
      send: (request) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            traffic.inFlight += 1
          }),
          () => http.send(request),
          () =>
            Effect.sync(() => {
              traffic.inFlight -= 1
            })
        )
    })
  })
)

/**
 * Waits until no provider is being requested, and all results have arrived.
 *
 * Before time is adjusted: or a question under way would time out.
 */
export const settled: Effect.Effect<void, never, Traffic> = Effect.gen(function*() {
  const traffic = yield* Traffic
  // A fetch takes some turns before its request and after its response.
  for (let quiet = 0; quiet < 20; quiet++) {
    yield* turn
    if (traffic.inFlight > 0) quiet = 0
  }
})

/** The log of a test: the message and the annotations of each line. */
export class Log extends Context.Service<Log, { readonly lines: ReadonlyArray<string> }>()(
  "mcp-authorizer/test/keys/chaos/Log"
) {
  static readonly layer = Layer.unwrap(Effect.sync(() => {
    const lines: Array<string> = []
    const logger = Logger.make((entry) => {
      const { annotations, level, message } = Logger.formatStructured.log(entry)
      lines.push(`${level} ${JSON.stringify(message)} ${JSON.stringify(annotations)}`)
    })
    return Layer.mergeAll(
      Layer.succeed(Log, { lines }),
      Logger.layer([logger]),
      Layer.succeed(References.MinimumLogLevel, "Warn")
    )
  }))
}

/** The warnings that hold all of the words. */
export const warnings = (...words: ReadonlyArray<string>) =>
  Log.useSync(({ lines }) => lines.filter((line) => words.every((word) => line.includes(word))))

/** The value of a counter of the gateway, the sum of all labels unless some are given. */
export const counted = (name: string, attributes: Readonly<Record<string, string>> = {}) =>
  Effect.map(Metric.snapshot, (metrics) =>
    metrics.flatMap((metric) => {
      const fits = metric.id === name && metric.type === "Counter" &&
        Object.entries(attributes).every(([label, value]) => metric.attributes?.[label] === value)
      return fits ? [Number(metric.state.count)] : []
    }).reduce((sum, count) => sum + count, 0))

const keys = (store: Layer.Layer<KeyValueStore.KeyValueStore>) =>
  JwksCache.layer.pipe(
    Layer.provideMerge(ProviderMetadata.layer),
    Layer.provideMerge(WatchedHttp),
    Layer.provideMerge(Traffic.layer),
    Layer.provide(store),
    Layer.provideMerge(CircuitBreaker.layerStoreMemory()),
    Layer.provideMerge(Digest.layerWebCrypto),
    Layer.provide(FetchHttpClient.layer),
    Layer.provideMerge(Log.layer),
    Layer.provideMerge(Layer.sync(Metric.MetricRegistry, () => new Map()))
  )

/** One instance of the gateway's core, used up by one test. */
export const withChaos = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  store: Layer.Layer<KeyValueStore.KeyValueStore> = KeyValueStore.layerMemory
): Effect.Effect<A, E, Exclude<R, Layer.Success<ReturnType<typeof keys>>> | Scope.Scope> =>
  Effect.flatMap(Layer.build(Layer.fresh(keys(store))), (context) => Effect.provideContext(effect, context))

/** Verifies as the gateway does, with its cache of verified tokens. Returns the result. */
export const gatewayOf = Effect.fnUntraced(function*(...providers: ReadonlyArray<Provider>) {
  const registry = yield* ProviderRegistry.make({ providers, clockSkewSeconds: skew })
  const { verify } = yield* Effect.provideService(makeVerifiedTokens(), ProviderRegistry, registry)
  return (token: string) =>
    Effect.match(verify(BearerToken.make(token)), {
      onFailure: (error) => error._tag === "InvalidToken" ? error.reason : error._tag,
      onSuccess: () => "accepted" as const
    })
})

/** How often each outcome occurs. */
export const tally = (outcomes: ReadonlyArray<string>): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** All at the same time. */
export const together = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

export const assertAll = (outcomes: ReadonlyArray<string>, expected: string) =>
  assert.deepStrictEqual(tally(outcomes), outcomes.length === 0 ? {} : { [expected]: outcomes.length })

/** A token of the same issuer whose header names another key; its signature is that of `token`, which is never checked. */
export const withKeyId = (token: string, kid: string, alg = "ES256"): string => {
  const [, payload, signature] = token.split(".")
  return [Buffer.from(JSON.stringify({ alg, kid, typ: "JWT" })).toString("base64url"), payload, signature].join(".")
}
