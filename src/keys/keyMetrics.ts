import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { counter } from "../metrics/series.ts"
import type { Phase } from "../remote/remoteState.ts"
import { type JwksSource, placeOf } from "./JwksSource.ts"

type FetchOutcome = "failure" | "success"

/** Keys that a program looks up itself belong to no provider. */
const providerOf = (source: JwksSource): string => source.provider ?? placeOf(source)

const fetches = (provider: string, outcome: FetchOutcome) =>
  counter("mcp_authorizer.key.fetches", { provider, outcome })

export const countFetch = (source: JwksSource, outcome: FetchOutcome): Effect.Effect<void> =>
  Metric.update(fetches(providerOf(source), outcome), 1)

/** Creates the counters of fetches at start: alerts on an increase would miss the first failure otherwise. */
export const primeFetches = (provider: string): Effect.Effect<void> =>
  Effect.andThen(Metric.update(fetches(provider, "failure"), 0), Metric.update(fetches(provider, "success"), 0))

export const countPhase = (source: JwksSource, phase: Phase): Effect.Effect<void> =>
  Metric.update(counter("mcp_authorizer.key.phases", { provider: providerOf(source), phase }), 1)

/** Counts a token that was verified with stale keys. */
export const countStaleServe = (source: JwksSource): Effect.Effect<void> =>
  Metric.update(counter("mcp_authorizer.key.stale_serves", { provider: providerOf(source) }), 1)
