import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"

/**
 * The runtime of what is made for programs without Effect: its layers are built when they are first needed, and why they
 * cannot be is logged, for nobody else there could say it.
 */
export const makeRuntime = <A, E>(layer: Layer.Layer<A, E>, logger: Layer.Layer<never> = Layer.empty) =>
  ManagedRuntime.make(
    Layer.tapCause(layer, (cause) => Effect.logError("cannot verify tokens", cause)).pipe(Layer.provideMerge(logger))
  )
