/** Gauges and counters whose values are computed when they are read. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import { counter, gauge } from "./series.ts"
import type { Labels, NameOf } from "./table.ts"

const nothing = (): void => undefined

/** A series, and the function that returns its value. Only the latest function is used. */
interface Series {
  readonly sources: Array<() => unknown>
  readonly registration: Metric.Registration
}

const series = new WeakMap<object, Map<string, Series>>()

/**
 * Registers the function that returns the value of a metric, while the scope is open.
 *
 * A configuration that is being prepared registers the same series as the current one, which takes them over again if
 * the new one is discarded.
 */
const observed = <Input, State>(
  name: string,
  metric: Metric.Metric<Input, State>,
  get: () => State
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(Effect.context<never>(), (context) => {
    const registry = Context.get(context, Metric.MetricRegistry)
    const all = series.get(registry) ?? new Map<string, Series>()
    series.set(registry, all)
    const register = (): Series => {
      const sources: Array<() => unknown> = []
      const registration = Metric.registerUnsafe(metric, context, {
        // All sources of a series are for the same metric.
        get: () => sources.at(-1)?.() as State,
        update: nothing,
        modify: nothing
      })
      return { sources, registration }
    }
    return Effect.asVoid(Effect.acquireRelease(
      Effect.sync(() => {
        const own = all.get(name) ?? register()
        all.set(name, own)
        own.sources.push(get)
        return own
      }),
      ({ registration, sources }) =>
        Effect.sync(() => {
          sources.splice(sources.indexOf(get), 1)
          if (sources.length > 0) return
          all.delete(name)
          registration.remove()
        })
    ))
  })

const seriesName = (name: string, labels: object): string => JSON.stringify([name, Object.entries(labels).toSorted()])

/** Observes one series of a gauge. A value that is not finite is left out. */
export const observeGauge = <N extends NameOf<"gauge">>(name: N, labels: Labels<N>, value: () => number) =>
  observed(seriesName(name, labels), gauge(name, labels), () => ({ value: value() }))

/** Observes one series of a counter, whose value must never decrease. */
export const observeCounter = <N extends NameOf<"counter">>(name: N, labels: Labels<N>, value: () => number) =>
  observed(seriesName(name, labels), counter(name, labels), () => ({ count: value(), incremental: true }))
