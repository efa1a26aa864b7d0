import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import { resolveSources } from "../../config/resolve.ts"
import { launch } from "../launch.ts"
import { layerLogging } from "../logging.ts"
import * as NodeGateway from "../NodeGateway.ts"
import type { StartupFailed } from "../StartupFailed.ts"
import type { Order, Report, Start } from "./messages.ts"

const report = (message: Report): void => {
  // The primary may be gone. Then this process is about to end.
  process.send?.(message, undefined, undefined, () => undefined)
}

/** Waits for the order to start. Pings get replies from then on. */
const started = Effect.callback<Start>((resume) => {
  process.on("message", (order: Order) => {
    switch (order._tag) {
      case "Start":
        return resume(Effect.succeed(order))
      case "Ping":
        return report({ _tag: "Pong" })
      case "Reopen":
        // As if the operator had sent the signal to this process. Without a listener, no file is open.
        process.emit("SIGHUP")
    }
  })
  // Node drops messages that arrive before there is a listener.
  report({ _tag: "Awake" })
})

const reportReady = Effect.map(
  HttpServer.HttpServer,
  ({ address }) => report({ _tag: "Ready", url: NetAddress.formatUrlUnsafe(address) })
)

/**
 * A worker process: the gateway as `main.ts` would run it alone, with orders from its primary.
 *
 * It ends when it is told to stop, like that program, and at once when its primary is gone.
 */
export const work: Effect.Effect<never, StartupFailed> = Effect.gen(function*() {
  const { number, port, sources } = yield* started
  // The primary has already validated them.
  const settings = { ...Result.getOrThrow(resolveSources(sources)), port }
  const gateway = Layer.effectDiscard(reportReady).pipe(
    Layer.provide(NodeGateway.layerUnannounced()),
    Layer.provide(layerLogging(settings, { annotations: { worker: number }, isShared: true }))
  )
  return yield* launch(gateway, settings)
})
