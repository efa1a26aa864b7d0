import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { Asker } from "../../fairness/Asker.ts"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { loggedUrl, ProviderRequestFailed } from "../../remote/ProviderRequestFailed.ts"
import { makeSteadyMillis } from "../../remote/steadyMillis.ts"
import { ProviderHealth } from "./ProviderHealth.ts"
import { makeOwnTurns, makeTurns } from "./turns.ts"

/** How long a request may take, including the time in the queue. */
const totalTimeout = "6 seconds"

/** Whether a failure counts against the provider. Those that clients can cause (rejections, a full queue) do not. */
const isProviderFailure = ({ kind, status }: ProviderRequestFailed): boolean =>
  kind === "Unreachable" || kind === "Timeout" || (status ?? 0) >= 500

const outcomeOf = (exit: Exit.Exit<unknown, ProviderRequestFailed>): "Responded" | "Failed" | "Neither" => {
  if (Exit.isSuccess(exit)) return "Responded"
  const error = Exit.findErrorOption(exit)
  if (Option.isNone(error)) return "Neither"
  return isProviderFailure(error.value) ? "Failed" : "Responded"
}

const overloaded = () =>
  new ProviderRequestFailed({ kind: "Overloaded", url: "", found: "too many concurrent requests" })

/**
 * Guards a provider of opaque tokens against floods, and the gateway against a provider that is down.
 *
 * At most 32 requests about new tokens and 8 about known ones run at a time, and 1,024 of each kind wait, in turns by
 * peer. A provider that is down (`ProviderHealth`) gets few requests; all others fail at once with
 * `ProviderRequestFailed`. Each provider has its own guard, so that a failing provider does not affect the others.
 */
export const makeGuardedHttp = (http: ProviderHttp["Service"], sharedIo = true): ProviderHttp["Service"] => {
  const millisOf = makeSteadyMillis()
  const health = new ProviderHealth()
  // The reason for the log while no requests are sent.
  let lastFailure: string | undefined

  const note = (error: ProviderRequestFailed) => {
    if (isProviderFailure(error)) lastFailure = error.summary.slice(error.url.length + 2)
  }

  const inTurn = sharedIo ? makeTurns(overloaded) : makeOwnTurns()

  return {
    send: (request) => {
      const url = URL.canParse(request.url) ? loggedUrl(new URL(request.url)) : ""
      const circuitOpen = () =>
        new ProviderRequestFailed({
          kind: "CircuitOpen",
          url,
          found: lastFailure === undefined ? undefined : `paused after ${lastFailure}`
        })
      const exchange = Effect.flatMap(Effect.all([Asker, Clock.Clock]), ([asker, clock]) => {
        if (!health.mayAsk(asker, millisOf(clock))) return Effect.fail(circuitOpen())
        return http.send(request).pipe(
          Effect.tapError((error) => Effect.sync(() => note(error))),
          Effect.onExit((exit) => Effect.sync(() => health.ended(asker, outcomeOf(exit), millisOf(clock))))
        )
      })
      return inTurn(exchange).pipe(
        Effect.timeoutOrElse({ duration: totalTimeout, orElse: () => Effect.fail(overloaded()) }),
        Effect.mapError((error) =>
          error.kind === "Overloaded"
            ? new ProviderRequestFailed({ kind: "Overloaded", url, found: error.found })
            : error
        )
      )
    }
  }
}
