import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as Semaphore from "effect/Semaphore"
import type { ProviderHttp } from "../../keys/ProviderHttp.ts"
import { loggedUrl, ProviderRequestFailed } from "../../keys/ProviderRequestFailed.ts"

/** Questions to one provider at the same time; the others wait. */
const ceiling = 32

/** Questions that may wait for their turn; one more is refused at once. */
const queue = 256

/** How long a question may wait for its turn and its answer. */
const patience = "6 seconds"

/** Failures in a row after which nobody is asked for a while, and that while. */
const tripAfter = 5
const openDuration = "10 seconds"

/** The provider is in trouble. What clients can provoke is none: a refusal, or more questions than it is asked. */
const isTrouble = ({ kind, status }: ProviderRequestFailed): boolean =>
  kind === "Unreachable" || kind === "Timeout" || (status ?? 0) >= 500

/**
 * Guards a provider of opaque tokens against floods, and the gateway against a provider that is down.
 *
 * At most 32 questions at a time, and 256 that wait. After 5 failures in a row nobody is asked for 10 seconds, then one question probes;
 * what is not asked fails at once with `ProviderRequestFailed`. Each provider has its own guard, so that one in trouble
 * touches no other.
 */
export const makeGuardedHttp = Effect.fnUntraced(function*(provider: string, http: ProviderHttp["Service"]) {
  const breaker = yield* CircuitBreaker.make({ tripPolicy: CircuitBreaker.consecutive(tripAfter), openDuration })
  const turns = yield* Semaphore.make(ceiling)
  let open = 0
  // What the log is told while nobody asks.
  let lastTrouble: string | undefined

  const note = (error: ProviderRequestFailed) => {
    if (isTrouble(error)) lastTrouble = error.summary.slice(error.url.length + 2)
  }

  const send: ProviderHttp["Service"]["send"] = (request) => {
    const url = URL.canParse(request.url) ? loggedUrl(new URL(request.url)) : ""
    const overloaded = () =>
      new ProviderRequestFailed({ kind: "Overloaded", url, found: "too many questions at the same time" })
    const circuitOpen = () =>
      new ProviderRequestFailed({
        kind: "CircuitOpen",
        url,
        found: lastTrouble === undefined ? undefined : `left alone for a while after ${lastTrouble}`
      })
    const inTurn = Effect.suspend(() => {
      if (open >= ceiling + queue) return Effect.fail(overloaded())
      open++
      return Effect.ensuring(
        turns.withPermits(1)(Effect.tapError(http.send(request), (error) => Effect.sync(() => note(error)))),
        Effect.sync(() => open--)
      )
    })
    return inTurn.pipe(
      Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(overloaded()) }),
      breaker.execute({
        key: provider,
        classify: (exit) =>
          Option.exists(Exit.findErrorOption(exit), isTrouble) ? CircuitBreaker.failure() : CircuitBreaker.success
      }),
      Effect.catchTag("CircuitBreakerError", () => Effect.fail(circuitOpen()))
    )
  }
  return { send }
})
