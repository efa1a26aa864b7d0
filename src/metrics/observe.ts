/** Gauges and counters whose values are computed when they are read. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import { counter, gauge } from "./series.ts"
import type { Labels, NameOf } from "./table.ts"

const nothing = (): void => undefined

/** Registers what gives the value of a metric, for as long as the scope lives. */
const observed = <Input, State>(
  metric: Metric.Metric<Input, State>,
  get: () => State
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.map(
      Effect.context<never>(),
      (context) => Metric.registerUnsafe(metric, context, { get, update: nothing, modify: nothing })
    ),
    (registration) => Effect.sync(() => registration.remove())
  ))

/** Observes one series of a gauge. A value that is not finite is left out. */
export const observeGauge = <N extends NameOf<"gauge">>(name: N, labels: Labels<N>, value: () => number) =>
  observed(gauge(name, labels), () => ({ value: value() }))

/** Observes one series of a counter, whose value must never fall. */
export const observeCounter = <N extends NameOf<"counter">>(name: N, labels: Labels<N>, value: () => number) =>
  observed(counter(name, labels), () => ({ count: value(), incremental: true }))
