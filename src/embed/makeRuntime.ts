import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"

/**
 * Builds the runtime for programs without Effect. Its layers are built on first use. A failure is logged, because
 * nothing else would report it.
 */
export const makeRuntime = <A, E>(layer: Layer.Layer<A, E>, logger: Layer.Layer<never> = Layer.empty) =>
  ManagedRuntime.make(
    Layer.tapCause(layer, (cause) => Effect.logError("cannot verify tokens", cause)).pipe(Layer.provideMerge(logger))
  )
