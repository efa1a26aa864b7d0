import * as Effect from "effect/Effect"
import { setTimeout as wait } from "node:timers/promises"

/** Looks every few milliseconds of real time until it holds. */
export const until = (holds: () => boolean) =>
  Effect.promise(async (signal) => {
    while (!holds() && !signal.aborted) await wait(5)
  })
