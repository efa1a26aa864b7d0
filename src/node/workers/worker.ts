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
  // Nobody hears it when the primary is gone; then this process is about to end.
  process.send?.(message, undefined, undefined, () => undefined)
}

/** Waits for the order to start; questions are answered from then on. */
const started = Effect.callback<Start>((resume) => {
  process.on("message", (order: Order) => {
    switch (order._tag) {
      case "Start":
        return resume(Effect.succeed(order))
      case "Ping":
        return report({ _tag: "Pong" })
      case "Reopen":
        // As if the operator had sent it to this process. Where nobody listens, nothing is open.
        process.emit("SIGHUP")
    }
  })
  // Node drops what comes before somebody listens.
  report({ _tag: "Awake" })
})

const reportReady = Effect.map(
  HttpServer.HttpServer,
  ({ address }) => report({ _tag: "Ready", url: NetAddress.formatUrlUnsafe(address) })
)

/**
 * A worker process: the gateway as `main.ts` would run it alone, told by its primary what to do.
 *
 * It ends when it is told to stop, as that one does, and at once when its primary is gone.
 */
export const work: Effect.Effect<never, StartupFailed> = Effect.gen(function*() {
  const { number, port, sources } = yield* started
  // The primary has found nothing wrong with them.
  const settings = { ...Result.getOrThrow(resolveSources(sources)), port }
  const gateway = Layer.effectDiscard(reportReady).pipe(
    Layer.provide(NodeGateway.layerUnannounced()),
    Layer.provide(layerLogging(settings, { annotations: { worker: number }, isShared: true }))
  )
  return yield* launch(gateway, settings)
})
