import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { HttpApp } from "../../http/HttpApp.ts"
import { makeEndpoint } from "../endpoint/makeEndpoint.ts"
import type { Generation } from "./Generation.ts"

/** Builds the app of one configuration. */
export type AppOf<E, R> = (settings: GatewaySettings) => Layer.Layer<HttpApp, E, R>

/** The configurations at work: the current one, and earlier ones whose requests have not ended. */
export class Generations extends Context.Service<Generations, {
  /** The generation that arriving requests take. */
  readonly current: Generation
  /** Every generation with requests, and the current one, which is the last. */
  readonly all: () => ReadonlyArray<Generation>
}>()("mcp-authorizer/node/generations/Generations") {
  /** Builds the generation of the settings at hand. Everything else that the app needs is shared by all generations. */
  static readonly layer = <E, R>(appOf: AppOf<E, R>) =>
    Layer.effect(
      Generations,
      Effect.gen(function*() {
        const scope = yield* Effect.scope
        const build = Effect.fnUntraced(function*(settings: GatewaySettings, number: number) {
          const own = yield* Scope.fork(scope)
          // Fresh: nothing that depends on settings may come from another generation.
          const context = yield* Layer.buildWithScope(Layer.fresh(appOf(settings)), own)
          const endpoint = yield* Effect.provideContext(makeEndpoint, context)
          const generation: Generation = {
            number,
            settings,
            app: Context.get(context, HttpApp),
            endpoint,
            handle: endpoint.handle,
            close: Scope.close(own, Exit.void)
          }
          return generation
        })
        const current = yield* build(yield* GatewayConfig, 1)
        return Generations.of({ current, all: () => [current] })
      })
    )
}
