/** Counts and times the requests about opaque tokens. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import { counter, histogram } from "../../metrics/series.ts"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import type { ProviderRequestFailed } from "../../remote/ProviderRequestFailed.ts"

const outcomes = ["success", "rejected", "failure", "paused", "overloaded", "left"] as const

type Outcome = typeof outcomes[number]

const ofFailure = ({ kind, status }: ProviderRequestFailed): Outcome => {
  switch (kind) {
    case "CircuitOpen":
      return "paused"
    case "Overloaded":
      return "overloaded"
    default:
      return status !== undefined && status >= 400 && status < 500 ? "rejected" : "failure"
  }
}

const outcomeOf = (exit: Exit.Exit<unknown, ProviderRequestFailed>): Outcome => {
  if (Exit.isSuccess(exit)) return "success"
  return Option.match(Exit.findErrorOption(exit), { onNone: () => "left" as const, onSome: ofFailure })
}

/**
 * Counts each request about a token, and measures its duration, including the time in the queue.
 *
 * @param provider the provider, whose type determines the kind of endpoint
 */
export const makeMeasuredHttp = (
  provider: { readonly name: string; readonly type: string },
  { send }: ProviderHttp["Service"]
): ProviderHttp["Service"] => {
  const labels = { provider: provider.name, type: provider.type }
  const duration = histogram("mcp_authorizer.provider.request.duration", labels)
  const counters = new Map(
    outcomes.map((outcome) => [outcome, counter("mcp_authorizer.provider.requests", { ...labels, outcome })])
  )
  return {
    send: (request) =>
      Effect.flatMap(Clock.currentTimeNanos, (began) =>
        Effect.onExit(send(request), (exit) =>
          Effect.gen(function*() {
            const outcome = outcomeOf(exit)
            const counted = counters.get(outcome)
            if (counted !== undefined) yield* Metric.update(counted, 1)
            if (outcome === "paused") return
            yield* Metric.update(duration, Number((yield* Clock.currentTimeNanos) - began) / 1e9)
          })))
  }
}
