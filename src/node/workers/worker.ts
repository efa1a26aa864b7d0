import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import { AdminSource } from "../../admin/AdminSource.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { withOriginsOf } from "../../config/origins.ts"
import { resolveSources } from "../../config/resolve.ts"
import { launch } from "../launch.ts"
import { layerLogging } from "../logging.ts"
import * as NodeGateway from "../NodeGateway.ts"
import type { StartupFailed } from "../StartupFailed.ts"
import { layerTelemetry } from "../telemetry/layerTelemetry.ts"
import { makeConfigurations } from "./configurations.ts"
import type { Ask, Order, QuestionName, Questions, Report, Start } from "./messages.ts"

const report = (message: Report): void => {
  // The primary may be gone. Then this process is about to end.
  process.send?.(message, undefined, undefined, () => undefined)
}

/** Takes questions once the gateway is built; before that, the primary waits in vain, which its timeout ends. */
let question: (ask: Ask) => void = () => undefined

/** Replies to the questions of the primary, for as long as the gateway lives. */
const layerReplies = (started: GatewaySettings) =>
  Layer.effectDiscard(Effect.gen(function*() {
    const source = yield* AdminSource
    const configurations = yield* makeConfigurations(started)
    const run = Effect.runForkWith(yield* Effect.context<never>())
    const replyTo = (ask: Ask): Effect.Effect<Questions[QuestionName]["reply"]> => {
      switch (ask.name) {
        case "metrics":
          return source.metrics
        case "authorize":
          return source.authorize(ask.input)
        case "activity":
          return source.activity
        case "providers":
          return Effect.map(source.providers, ({ states }) => states)
        case "decisions":
          return source.decisions
        case "facts":
          return source.facts
        case "explain":
          return Effect.map(source.explain(ask.input), (explanation) => explanation ?? null)
        case "prepare":
          return configurations.prepare(ask.input)
        case "commit":
          return configurations.commit(ask.input)
        case "discard":
          return configurations.discard
        default:
          return ask satisfies never
      }
    }
    question = (ask) => {
      run(Effect.map(replyTo(ask), (reply) => report({ _tag: "Reply", id: ask.id, reply })))
    }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        question = () => undefined
      })
    )
  }))

/** Waits for the order to start. Pings get replies from then on. */
const started = Effect.callback<Start>((resume) => {
  // The signal is for the primary, even if a terminal sends it to all processes.
  process.on("SIGHUP", () => undefined)
  process.on("message", (order: Order) => {
    switch (order._tag) {
      case "Start":
        return resume(Effect.succeed(order))
      case "Ping":
        return report({ _tag: "Pong" })
      case "Ask":
        return question(order)
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
 * It ends when it is stopped, like that program, and immediately when its primary is gone.
 */
export const work: Effect.Effect<never, StartupFailed> = Effect.gen(function*() {
  const { generation, number, port, sources } = yield* started
  // The primary has already validated them.
  const resolved = Result.getOrThrow(resolveSources(sources))
  const settings = withOriginsOf(resolved, { ...resolved, port })
  const gateway = Layer.effectDiscard(reportReady).pipe(
    Layer.provide(NodeGateway.layerWith({ admin: layerReplies(settings), generation })),
    Layer.provide(layerTelemetry({ worker: number })),
    Layer.provide(layerLogging(settings, { annotations: { worker: number }, isShared: true }))
  )
  return yield* launch(gateway, settings)
})
