import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { Requester } from "../../fairness/Requester.ts"
import { makeSteadyMillis } from "../../remote/steadyMillis.ts"
import { ProviderHealth } from "./ProviderHealth.ts"
import { makeOwnTurns, makeTurns } from "./turns.ts"

/** How long a request may take, including the time in the queue. */
const totalTimeout = "6 seconds"

export interface Guarded<F> {
  /**
   * Whether a failure counts against the provider. Failures that clients can cause (rejections, a full queue) do not.
   */
  readonly isProviderFailure: (failure: F) => boolean
  /** Builds the failure for a full queue, and for a request that takes too long. */
  readonly overloaded: () => F
  /**
   * Builds the failure for requests that are not sent because the provider counts as down.
   *
   * @param last the last failure of the provider
   */
  readonly circuitOpen: (last: F | undefined) => F
}

/**
 * Guards a provider of opaque tokens against floods, and the gateway against a provider that is down.
 *
 * At most 32 requests about new tokens and 8 about tokens that were accepted before run at a time. 1,024 of each kind
 * can wait, and peers take turns. A provider that is down (`ProviderHealth`) gets few requests; all others fail at
 * once.
 */
export const makeGuard = <F>(
  { circuitOpen, isProviderFailure, overloaded }: Guarded<F>,
  sharedIo = true
): <A>(request: Effect.Effect<A, F>) => Effect.Effect<A, F> => {
  const millisOf = makeSteadyMillis()
  const health = new ProviderHealth()
  // The last failure, logged while no requests are sent.
  let last: F | undefined

  const outcomeOf = (exit: Exit.Exit<unknown, F>): "Responded" | "Failed" | "Neither" => {
    if (Exit.isSuccess(exit)) return "Responded"
    const error = Exit.findErrorOption(exit)
    if (Option.isNone(error)) return "Neither"
    return isProviderFailure(error.value) ? "Failed" : "Responded"
  }

  const inTurn = sharedIo ? makeTurns(overloaded) : makeOwnTurns()

  return (request) => {
    const exchange = Effect.flatMap(Effect.all([Requester, Clock.Clock]), ([requester, clock]) => {
      if (!health.mayAsk(requester, millisOf(clock))) return Effect.fail(circuitOpen(last))
      return request.pipe(
        Effect.tapError((error) =>
          Effect.sync(() => {
            if (isProviderFailure(error)) last = error
          })
        ),
        Effect.onExit((exit) => Effect.sync(() => health.ended(requester, outcomeOf(exit), millisOf(clock))))
      )
    })
    return inTurn(exchange).pipe(
      Effect.timeoutOrElse({ duration: totalTimeout, orElse: () => Effect.fail(overloaded()) })
    )
  }
}
