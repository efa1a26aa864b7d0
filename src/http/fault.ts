import * as Effect from "effect/Effect"
import type { Exchange } from "./Exchange.ts"

/** Where a fault arose. Its message is left out: it may quote a token, a claim or a body. */
const frames = (defect: unknown): ReadonlyArray<string> =>
  defect instanceof Error
    ? (defect.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)).slice(0, 8).map((line) => line.trim())
    : []

/** Writes down a fault of our own, which the client sees as a bare `server_error`. */
export const logFault = (exchange: Exchange, defect: unknown): Effect.Effect<void> =>
  Effect.logError("internal fault").pipe(Effect.annotateLogs({
    trace_id: exchange.traceId,
    fault: defect instanceof Error ? defect.name : typeof defect,
    at: frames(defect)
  }))
