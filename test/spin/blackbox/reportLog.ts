import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as LogLevel from "effect/LogLevel"
import type { ComponentHost } from "../support/ComponentHost.ts"

const levels: Readonly<Record<string, LogLevel.Severity>> = {
  TRACE: "Trace",
  DEBUG: "Debug",
  INFO: "Info",
  WARN: "Warn",
  ERROR: "Error",
  FATAL: "Fatal"
}

/** An entry as it was logged in the component. */
interface Entry {
  readonly level: string
  readonly message: unknown
  readonly annotations: Readonly<Record<string, unknown>>
}

/** A line that is not an entry is text of the engine or of the host. */
const entryOf = (line: string): Entry => {
  try {
    const { level, message, time: _, ...annotations } = JSON.parse(line)
    return { level, message, annotations }
  } catch {
    return { level: "ERROR", message: line, annotations: {} }
  }
}

/** Passes each line that the component writes from now on to this logger, as if it had been logged here. */
export const reportLog = Effect.fnUntraced(function*(host: ComponentHost["Service"], logger: Layer.Layer<never>) {
  const context = yield* Layer.build(logger)
  yield* host.onLine((line) => {
    const { annotations, level, message } = entryOf(line)
    Effect.runSyncWith(context)(
      Effect.logWithLevel(levels[level] ?? "Error")(message).pipe(Effect.annotateLogs(annotations))
    )
  })
})
