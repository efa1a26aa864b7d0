/** A provider, a store, and instances of a key cache between them. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { JwsAlgorithm } from "../../config/GatewaySettings.ts"
import { JwksCache, type JwksSource } from "../../keys/JwksCache.ts"
import { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../remote/ProviderMetadata.ts"
import type { Ask, History, Outcome, Report } from "./History.ts"
import { issuer, jwksUri, makeKeyProvider } from "./KeyProvider.ts"
import { makeMaterial, nameOf } from "./material.ts"
import { makePublisher } from "./publisher.ts"
import { ended, settle } from "./time.ts"
import { makeUnreliableStore } from "./unreliableStore.ts"

/** The services that a layer of `JwksCache` may require. */
export type CacheServices = ProviderHttp | ProviderMetadata | HttpClient.HttpClient | KeyValueStore.KeyValueStore

/** The layer of `JwksCache` under test. */
export type Subject<E> = Layer.Layer<JwksCache, E, CacheServices>

/** The key set of the fixture, named in both ways. */
export const sources: Readonly<Record<JwksSource["_tag"], JwksSource>> = {
  Jwks: { _tag: "Jwks", uri: jwksUri, allowedDomains: [] },
  Discovery: { _tag: "Discovery", issuer, allowedDomains: [] }
}

interface Instance {
  readonly id: number
  readonly cache: JwksCache["Service"]
  readonly scope: Scope.Closeable
}

/** A lookup: how many callers make it concurrently (default: one), and whether one more leaves while it waits. */
interface Question {
  readonly count?: number | undefined
  readonly leaves?: boolean | undefined
  readonly alg?: JwsAlgorithm | undefined
  /** Default: the source of the fixture. */
  readonly source?: JwksSource | undefined
}

/** Builds a fixture with one key, a healthy provider and an honest store. Instances start on first use. */
export const makeFixture = Effect.fnUntraced(function*<E>(subject: Subject<E>, named: JwksSource = sources.Jwks) {
  const scope = yield* Effect.scope
  const clock = yield* Clock.clockWith(Effect.succeed)
  const now = () => clock.currentTimeMillisUnsafe()
  const start = now()
  const publisher = yield* makePublisher
  const provider = yield* makeKeyProvider(publisher)
  const foreign = yield* makeMaterial("foreign", "key-0")
  const { setBehaviour, store } = makeUnreliableStore({ foreignJwk: foreign.key.publicJwk, uri: jwksUri })
  const asks: Array<Ask> = []
  const reports: Array<Report> = []
  const instances = new Map<number, Instance>()
  let born = 0

  const instance = Effect.fnUntraced(function*(place: number): Effect.fn.Return<Instance, E> {
    const known = instances.get(place)
    if (known !== undefined) return known
    const id = born++
    const services = ProviderMetadata.layer.pipe(
      Layer.provideMerge(ProviderHttp.layer),
      Layer.provideMerge(Layer.succeed(HttpClient.HttpClient, provider.client(id))),
      Layer.merge(Layer.succeed(KeyValueStore.KeyValueStore, store))
    )
    const own = yield* Scope.fork(scope)
    // Not in one build: layers of the subject that are also here would not be built again.
    const built = yield* Layer.buildWithScope(Layer.fresh(services), own)
    const context = yield* Effect.provideContext(Layer.buildWithScope(Layer.fresh(subject), own), built)
    const made = { id, cache: Context.get(context, JwksCache), scope: own }
    instances.set(place, made)
    return made
  })

  const outcomeOf = (
    exit: Exit.Exit<CryptoKey, { readonly _tag: "UnknownKey" | "KeysUnavailable" }> | undefined
  ): Effect.Effect<Outcome> => {
    if (exit === undefined) return Effect.succeed({ _tag: "Silence" })
    if (Exit.isSuccess(exit)) {
      return Effect.map(nameOf(exit.value, publisher.materials), (name) => ({ _tag: "Key", name }))
    }
    const [reason] = exit.cause.reasons
    return Effect.succeed(
      reason !== undefined && Cause.isFailReason(reason)
        ? { _tag: reason.error._tag }
        : { _tag: "Defect", text: Cause.pretty(exit.cause) }
    )
  }

  /** Looks up a key synchronously, as a verifier does first; `undefined` if the cache has no result. */
  const lookUp = Effect.fnUntraced(function*(
    { cache, id }: Instance,
    kid: string | undefined,
    alg: JwsAlgorithm,
    source: JwksSource
  ) {
    const from = now()
    const fetchesBefore = provider.fetches.length
    const exit = yield* Effect.exit(Effect.sync(() => cache.peek?.(source, { alg, kid })))
    if (Exit.isSuccess(exit) && exit.value === undefined) return undefined
    const outcome = yield* outcomeOf(Exit.map(exit, (key) => key as CryptoKey))
    const lookup: Ask = { instance: id, kid: kid ?? "", from, to: from, fetchesBefore, outcome }
    asks.push(lookup)
    return lookup
  })

  /**
   * Looks up a key. Returns the result for each caller that has not left, preceded by the result of the synchronous
   * lookup, if there is one.
   */
  const ask = Effect.fnUntraced(function*(
    place: number,
    kid: string | undefined,
    { alg = "ES256", count = 1, leaves = false, source = named }: Question = {}
  ) {
    const asked = yield* instance(place)
    const { cache, id } = asked
    const known = yield* lookUp(asked, kid, alg, source)
    const from = now()
    const fetchesBefore = provider.fetches.length
    // A service may throw instead of failing.
    const question = Effect.suspend(() => cache.keyFor(source, { alg, kid }))
    const leaving = leaves ? yield* Effect.forkChild(question, { startImmediately: true }) : undefined
    const fibers = yield* Effect.forEach(
      Array.from({ length: count }),
      () => Effect.forkChild(question, { startImmediately: true })
    )
    if (leaving !== undefined) yield* Effect.andThen(Effect.yieldNow, Fiber.interrupt(leaving))
    const lookups = yield* Effect.forEach(fibers, (fiber) =>
      Effect.gen(function*() {
        const exit = yield* ended(fiber, provider.isResponding)
        const outcome = yield* outcomeOf(exit)
        const lookup: Ask = { instance: id, kid: kid ?? "", from, to: now(), fetchesBefore, outcome }
        asks.push(lookup)
        return lookup
      }))
    return known === undefined ? lookups : [known, ...lookups]
  })

  const stop = Effect.fnUntraced(function*(place: number) {
    const known = instances.get(place)
    instances.delete(place)
    if (known === undefined) return
    // Time may have to pass: a background fetch that waits for a store that hangs ends only with its timeout.
    const closing = yield* Effect.forkChild(Scope.close(known.scope, Exit.void), { startImmediately: true })
    yield* ended(closing, provider.isResponding)
  })

  return {
    publisher,
    provider,
    setStoreBehaviour: setBehaviour,
    ask,
    /** Prefetches. Returns whether this succeeded without waiting. */
    prefetch: Effect.fnUntraced(function*(place: number) {
      const { cache } = yield* instance(place)
      const fiber = yield* Effect.forkChild(Effect.suspend(() => cache.prefetch(named)), { startImmediately: true })
      const from = now()
      const exit = yield* ended(fiber, provider.isResponding)
      return exit !== undefined && Exit.isSuccess(exit) && now() === from
    }),
    report: Effect.fnUntraced(function*(place: number) {
      const { cache, id } = yield* instance(place)
      const at = now()
      const { phase, usable } = yield* cache.phase(named)
      reports.push({ instance: id, at, phase, usable })
    }),
    restart: (place: number) => Effect.andThen(settle(provider.isResponding), stop(place)),
    /** Stops all instances. */
    stop: Effect.suspend(() => Effect.forEach([...instances.keys()], stop, { discard: true })),
    wait: (seconds: number) =>
      settle(provider.isResponding).pipe(
        Effect.andThen(TestClock.adjust(seconds * 1000)),
        Effect.andThen(settle(provider.isResponding))
      ),
    history: (): History => ({
      start,
      asks,
      reports,
      fetches: provider.fetches,
      sets: publisher.sets,
      health: provider.health,
      ...provider.seen
    })
  }
})

export type CacheFixture<E> = Effect.Success<ReturnType<typeof makeFixture<E>>>
