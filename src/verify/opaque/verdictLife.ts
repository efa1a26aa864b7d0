/** How long what a provider says about an opaque token is believed, on every host. */

/** A yes is believed until the token ends, and no longer than this: so long may a revoked token live on. */
export const maxPositiveMillis = 300_000

/** How long before that it is asked for again, where the token itself goes on. */
export const renewedAheadMillis = 60_000

/** A no is believed this long. */
export const negativeMillis = 10_000

/** What the log is told of a remembered token whose end has come. */
export const endPassed = "the end of the token has passed"
