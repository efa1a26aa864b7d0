import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as NetAddress from "effect/net/NetAddress"
import type * as Scope from "effect/Scope"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import * as NodeGateway from "../../src/node/NodeGateway.ts"

/** A gateway that runs until its scope closes. */
export interface RunningGateway {
  /** `http://127.0.0.1:<port>`, without a slash. */
  readonly origin: string
  readonly port: number
}

/** Starts the gateway like `node dist/main.js`, on a port that the system chooses. It logs only to `logger`. */
export const startGateway = (
  settings: GatewaySettings,
  options: {
    readonly verifier?: NodeGateway.Verification
    readonly logger?: Layer.Layer<never>
  } = {}
): Effect.Effect<RunningGateway, never, Scope.Scope> =>
  Effect.gen(function*() {
    const context = yield* Layer.build(
      NodeGateway.layer(options.verifier).pipe(
        Layer.provide(Layer.succeed(GatewayConfig, settings)),
        Layer.provide(options.logger ?? Logger.layer([]))
      )
    )
    const { address } = Context.get(context, HttpServer.HttpServer)
    const origin = NetAddress.formatUrlUnsafe(address)
    return { origin, port: Number(new URL(origin).port) }
  }).pipe(Effect.orDie)
