import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Reloader, ReloadTrigger } from "./Reloader.ts"
import { watchFiles } from "./watchFiles.ts"

/** Reasons to read the configuration again. Simultaneous triggers cause one reload. */
export type Triggers = Queue.Queue<ReloadTrigger>

/** Collects SIGHUP for as long as the scope lives. From now on the signal does not end the process. */
export const makeTriggers = Effect.gen(function*() {
  const triggers = yield* Queue.sliding<ReloadTrigger>(1)
  const onSignal = () => void Queue.offerUnsafe(triggers, "signal")
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("SIGHUP", onSignal)),
    () => Effect.sync(() => process.off("SIGHUP", onSignal))
  )
  return triggers
})

/**
 * Reads the configuration again at each trigger and, if `MCP_CONFIG_WATCH` is set, whenever one of its files has
 * changed, for as long as the scope lives.
 */
export const followTriggers = Effect.fnUntraced(function*(triggers: Triggers, reloader: Reloader["Service"]) {
  yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(triggers), reloader.reload)))
  if (!reloader.current().settings.configWatch) return
  yield* Effect.forkScoped(watchFiles(reloader.files, Effect.asVoid(Queue.offer(triggers, "file"))))
})
