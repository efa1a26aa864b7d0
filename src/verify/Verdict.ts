import type * as Effect from "effect/Effect"
import type { Identity } from "../identity/Identity.ts"

/** A token's yes, and how long it may be believed. */
export interface Verdict {
  readonly identity: Identity
  /**
   * Says whether a fresh verification would still say yes, without repeating what cannot have changed: times are judged
   * anew, and the key must still be the one that its issuer publishes. `undefined`: only a fresh verification can say.
   */
  readonly holds: Effect.Effect<boolean> | undefined
}
