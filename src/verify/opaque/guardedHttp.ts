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

/** How long a question may wait for its turn and its answer. */
const patience = "6 seconds"

/** Whether a failure counts against the provider. One that clients can cause (a rejection, or our own queue limit) does not. */
const isTrouble = ({ kind, status }: ProviderRequestFailed): boolean =>
  kind === "Unreachable" || kind === "Timeout" || (status ?? 0) >= 500

const outcomeOf = (exit: Exit.Exit<unknown, ProviderRequestFailed>): "Answered" | "Failed" | "Neither" => {
  if (Exit.isSuccess(exit)) return "Answered"
  const error = Exit.findErrorOption(exit)
  if (Option.isNone(error)) return "Neither"
  return isTrouble(error.value) ? "Failed" : "Answered"
}

const overloaded = () =>
  new ProviderRequestFailed({ kind: "Overloaded", url: "", found: "too many questions at the same time" })

/**
 * Guards a provider of opaque tokens against floods, and the gateway against a provider that is down.
 *
 * At most 32 questions about new tokens and 8 about known ones at a time, and of each kind 1,024 that wait, in turns by
 * peer. Of a provider that is down (`ProviderHealth`) few are asked; what is not asked fails at once with
 * `ProviderRequestFailed`. Each provider has its own guard, so that one in trouble touches no other.
 */
export const makeGuardedHttp = (http: ProviderHttp["Service"], sharedIo = true): ProviderHttp["Service"] => {
  const millisOf = makeSteadyMillis()
  const health = new ProviderHealth()
  // What the log is told while nobody asks.
  let lastTrouble: string | undefined

  const note = (error: ProviderRequestFailed) => {
    if (isTrouble(error)) lastTrouble = error.summary.slice(error.url.length + 2)
  }

  const inTurn = sharedIo ? makeTurns(overloaded) : makeOwnTurns()

  return {
    send: (request) => {
      const url = URL.canParse(request.url) ? loggedUrl(new URL(request.url)) : ""
      const circuitOpen = () =>
        new ProviderRequestFailed({
          kind: "CircuitOpen",
          url,
          found: lastTrouble === undefined ? undefined : `left alone for a while after ${lastTrouble}`
        })
      const ask = Effect.flatMap(Effect.all([Asker, Clock.Clock]), ([asker, clock]) => {
        if (!health.mayAsk(asker, millisOf(clock))) return Effect.fail(circuitOpen())
        return http.send(request).pipe(
          Effect.tapError((error) => Effect.sync(() => note(error))),
          Effect.onExit((exit) => Effect.sync(() => health.ended(asker, outcomeOf(exit), millisOf(clock))))
        )
      })
      return inTurn(ask).pipe(
        Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(overloaded()) }),
        Effect.mapError((error) =>
          error.kind === "Overloaded"
            ? new ProviderRequestFailed({ kind: "Overloaded", url, found: error.found })
            : error
        )
      )
    }
  }
}
