import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/**
 * An effect whose client has disconnected, on a host that silently drops the work of its request: none of its timers
 * ends, and it is not interrupted.
 */
export const withoutClient = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.Clock, (clock) => {
    const stopped: Clock.Clock = Object.create(clock, { sleep: { value: () => Effect.never } })
    return Effect.provideService(effect, Clock.Clock, stopped)
  })
