/** Recording what the store that replicas share is used for, and whether it works. */
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { counter, gauge } from "../metrics/series.ts"

type Operation = "read" | "write" | "claim"

export const countOperation = (operation: Operation, outcome: string): Effect.Effect<void> =>
  Metric.update(counter("mcp_authorizer.store.operations", { operation, outcome }), 1)

export const countRead = (outcome: "hit" | "miss" | "unusable" | "failure"): Effect.Effect<void> =>
  countOperation("read", outcome)

export const noteStoreUp = (operation: "read" | "write", isUp: boolean): Effect.Effect<void> =>
  Metric.update(gauge("mcp_authorizer.store.up", { operation }), isUp ? 1 : 0)
