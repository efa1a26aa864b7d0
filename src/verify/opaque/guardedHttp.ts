import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as Semaphore from "effect/Semaphore"
import { type ProviderHttp, ProviderRequestFailed } from "../../keys/ProviderHttp.ts"

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

const hostOf = (url: string): string => URL.canParse(url) ? new URL(url).host : ""

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

  const send: ProviderHttp["Service"]["send"] = (request) => {
    const failed = (kind: "Overloaded" | "CircuitOpen") =>
      new ProviderRequestFailed({ kind, host: hostOf(request.url), status: undefined })
    const inTurn = Effect.suspend(() => {
      if (open >= ceiling + queue) return Effect.fail(failed("Overloaded"))
      open++
      return Effect.ensuring(turns.withPermits(1)(http.send(request)), Effect.sync(() => open--))
    })
    return inTurn.pipe(
      Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(failed("Overloaded")) }),
      breaker.execute({
        key: provider,
        classify: (exit) =>
          Option.exists(Exit.findErrorOption(exit), isTrouble) ? CircuitBreaker.failure() : CircuitBreaker.success
      }),
      Effect.catchTag("CircuitBreakerError", () => Effect.fail(failed("CircuitOpen")))
    )
  }
  return { send }
})
