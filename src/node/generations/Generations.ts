import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { CarriedOver, CurrentHolding } from "../../config/carryOver.ts"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { InvalidConfiguration } from "../../config/InvalidConfiguration.ts"
import { Stopping } from "../../http/health.ts"
import { HttpApp } from "../../http/HttpApp.ts"
import type { ProviderReadiness } from "../../verify/ProviderRegistry.ts"
import { makeEndpoint } from "../endpoint/makeEndpoint.ts"
import type { Generation } from "./Generation.ts"

export type AppOf<E, R> = (settings: GatewaySettings) => Layer.Layer<HttpApp, E, R>

/** A generation that is ready to take over. */
export interface Prepared {
  readonly generation: Generation
  /** The providers whose keys could not be fetched in time. */
  readonly notReady: ReadonlyArray<string>
  /**
   * Makes this the generation of all requests that arrive from now on. The previous generation is closed when its last
   * request has ended.
   */
  readonly commit: Effect.Effect<void>
  /** Closes the generation without using it. */
  readonly discard: Effect.Effect<void>
}

/**
 * How many earlier generations may still have requests. If there are more, the event streams of the oldest one are
 * ended. Its other requests end by themselves.
 */
export const maxEarlier = 8

/**
 * How often the streams of a generation that is too old are ended. Repeatedly, because its other requests may become
 * streams.
 */
const endStreamsMillis = 1_000

/**
 * How long after its last response a generation is closed, if there is no hurry: log entries are written, and verdicts
 * renewed, after a response.
 */
const lingerMillis = 1_000

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

/**
 * Waits for the keys of all providers, at most as long as a fetch may take, and returns the names of providers without
 * keys.
 */
const warm = ({ servers }: HttpApp["Service"]): Effect.Effect<ReadonlyArray<string>> => {
  const unready: Effect.Effect<ReadonlyArray<ReadonlyArray<ProviderReadiness>>> = Effect.forEach(
    servers,
    ({ providers }) => providers.warm ?? Effect.succeed([]),
    { concurrency: "unbounded" }
  )
  return Effect.map(unready, (found) => [...new Set(found.flat().map(({ provider }) => provider))])
}

/** The configurations in use: the current one, and earlier ones whose requests have not ended. */
export class Generations extends Context.Service<Generations, {
  /** The generation for requests that arrive now. */
  readonly current: Generation
  /** All generations that may have requests, oldest first. The last is the current one. */
  readonly all: () => ReadonlyArray<Generation>
  /**
   * Builds the generation of other settings, and waits for one fetch of the keys of its providers. Requests use it only
   * after `commit`. Fails with `InvalidConfiguration` if something cannot be used, such as a CA file; then nothing
   * changes.
   *
   * Only one generation can be prepared at a time.
   *
   * @param number the number of the generation
   * @param around services for the context of the generation, such as loggers
   */
  readonly prepare: (
    settings: GatewaySettings,
    number: number,
    around?: Layer.Layer<never>
  ) => Effect.Effect<Prepared, InvalidConfiguration>
  /** Calls the listener whenever another generation takes over. */
  readonly onChange: (listener: (current: Generation) => void) => void
  /** Set when the process is about to stop; then `/readyz` is 503. */
  readonly stopping: { isStopping: boolean }
  /** How many things the generations share, for tests. */
  readonly shared: () => number
}>()("mcp-authorizer/node/generations/Generations") {
  /**
   * Builds the generation of the provided settings.
   *
   * @param first the number of that generation
   */
  static readonly layer = <E, R>(
    appOf: AppOf<E, R>,
    first = 1
  ): Layer.Layer<Generations, E, GatewayConfig | Exclude<R, Scope.Scope>> =>
    Layer.effect(
      Generations,
      Effect.gen(function*() {
        const scope = yield* Effect.scope
        const context = yield* Effect.context<R>()
        const carried = new CarriedOver()
        const alive = new Set<Generation>()
        const stopping = { isStopping: false }
        const earlier: Array<Generation> = []
        const listeners: Array<(current: Generation) => void> = []

        const build = Effect.fnUntraced(function*(
          settings: GatewaySettings,
          number: number,
          around: Layer.Layer<never>
        ) {
          const own = yield* Scope.make()
          const holding = carried.hold()
          const release = Effect.andThen(Scope.close(own, Exit.void), holding.release)
          const layer = appOf(settings).pipe(
            Layer.provide([Layer.succeed(CurrentHolding, holding), Layer.succeed(Stopping, stopping)]),
            Layer.provideMerge(around)
          )
          // Built afresh: only `carryOver` may pass anything that depends on settings from one generation to the next.
          const services = yield* Layer.buildWithScope(Layer.fresh(layer), own).pipe(
            Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : release)
          )
          const endpoint = yield* Effect.provideContext(makeEndpoint, services)
          const generation: Generation = {
            number,
            settings,
            app: Context.get(services, HttpApp),
            endpoint,
            handle: endpoint.handle,
            isTooOld: Deferred.makeUnsafe<void>(),
            close: Effect.suspend(() => alive.delete(generation) ? release : Effect.void)
          }
          alive.add(generation)
          return generation
        })

        yield* Effect.addFinalizer(() => Effect.forEach([...alive], ({ close }) => close, { discard: true }))

        /** Closes a generation that gets no more requests, once its last one has ended. */
        const retire = Effect.fnUntraced(function*(generation: Generation) {
          yield* generation.endpoint.idle
          yield* Effect.raceFirst(Effect.sleep(lingerMillis), Deferred.await(generation.isTooOld))
          yield* generation.close
          earlier.splice(earlier.indexOf(generation), 1)
        })

        /** Ends the streams of generations that are too old. */
        const thin = Effect.gen(function*() {
          while (earlier.length > maxEarlier) {
            for (const { endpoint, isTooOld } of earlier.slice(0, earlier.length - maxEarlier)) {
              endpoint.endStreams()
              Deferred.doneUnsafe(isTooOld, Effect.void)
            }
            yield* Effect.sleep(endStreamsMillis)
          }
        })

        const state: Mutable<Generations["Service"]> = {
          current: yield* build(yield* GatewayConfig, first, Layer.empty),
          all: () => [...earlier, state.current],
          shared: () => carried.size,
          stopping,
          onChange: (listener) => void listeners.push(listener),
          prepare: Effect.fnUntraced(
            function*(settings: GatewaySettings, number: number, around: Layer.Layer<never> = Layer.empty) {
              const generation = yield* build(settings, number, around)
              const notReady = yield* Effect.onInterrupt(warm(generation.app), () => generation.close)
              const commit = Effect.suspend(() => {
                const before = state.current
                earlier.push(before)
                state.current = generation
                for (const listener of listeners) listener(generation)
                return Effect.all([Effect.forkIn(retire(before), scope), Effect.forkIn(thin, scope)], { discard: true })
              })
              return { generation, notReady, commit, discard: generation.close }
            },
            Effect.provideContext(context),
            Effect.catch((error) => error instanceof InvalidConfiguration ? Effect.fail(error) : Effect.die(error))
          )
        }
        return Generations.of(state)
      })
    )
}
