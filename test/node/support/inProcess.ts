/** A gateway in this process whose configuration a test can change. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import { GatewayConfig } from "../../../src/config/GatewayConfig.ts"
import type { GatewayConfigInput } from "../../../src/config/GatewayConfigInput.ts"
import type { GatewaySettings } from "../../../src/config/GatewaySettings.ts"
import { resolveInput } from "../../../src/config/resolve.ts"
import { Generations } from "../../../src/node/generations/Generations.ts"
import * as NodeGateway from "../../../src/node/NodeGateway.ts"
import { LogCapture } from "../../support/canary.ts"

/** Valid settings, on a port of the system's choice. */
const settingsOf = (input: GatewayConfigInput): GatewaySettings => ({
  ...Result.getOrThrow(resolveInput(input)),
  host: "127.0.0.1",
  port: 0,
  shutdownTimeoutMillis: 100
})

/** Starts the gateway with the configuration of a number. */
export const startInProcess = Effect.fnUntraced(function*(configOf: (number: number) => GatewayConfigInput) {
  const built: { generations?: Generations["Service"] } = {}
  const captured = Layer.effectDiscard(Effect.map(Generations, (generations) => {
    built.generations = generations
  }))
  const context = yield* Effect.orDie(Layer.build(
    NodeGateway.layerWith({ reloading: captured }).pipe(
      Layer.provide(Layer.succeed(GatewayConfig, settingsOf(configOf(1)))),
      Layer.provideMerge(LogCapture.layer)
    )
  ))
  const { generations } = built
  if (generations === undefined) return yield* Effect.die(new Error("there are no generations"))
  const prepare = (input: GatewayConfigInput) => generations.prepare(settingsOf(input), generations.current.number + 1)
  return {
    origin: NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address),
    generations,
    prepare,
    /** Makes the next configuration current, and returns the providers without keys. */
    reload: (input: GatewayConfigInput = configOf(generations.current.number + 1)) =>
      Effect.flatMap(Effect.orDie(prepare(input)), ({ commit, notReady }) => Effect.as(commit, notReady))
  }
})
