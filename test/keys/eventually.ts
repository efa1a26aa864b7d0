import * as Effect from "effect/Effect"

// Real time: sockets do not know TestClock.
const moment = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 2)))

/** Waits until a condition holds that a real socket brings about; vitest's own timeout is the limit. */
export const eventually = (condition: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.flatMap(condition, (holds) => holds ? Effect.void : Effect.andThen(moment, eventually(condition)))
