import * as Effect from "effect/Effect"
import type { Identity } from "../identity/Identity.ts"

/** How a yes that was remembered is judged anew, without repeating what cannot have changed. Times are milliseconds since 1970. */
export interface Holding {
  /** From here on only a fresh verification can say. */
  readonly until: number
  /** From here on it is verified anew while it is still believed, so that nobody has to wait for that at its end. */
  readonly renewFrom?: number | undefined
  /** Says whether a fresh verification would still say yes; `false` also where that cannot be said at once. */
  readonly known: (now: number) => boolean
  /** The same with time for finding out. */
  readonly confirm: Effect.Effect<boolean>
}

/** A token's yes, and how long it may be believed. */
export interface Verdict {
  readonly identity: Identity
  /** `undefined`: not at all; only a fresh verification can say. */
  readonly holds: Holding | undefined
}

/** A yes that nothing but time can change. */
export const holdingUntil = (until: number, renewFrom?: number): Holding => ({
  until,
  renewFrom,
  known: () => true,
  confirm: Effect.succeed(true)
})
