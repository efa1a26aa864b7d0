/** How long verdicts about opaque tokens are cached, on all hosts. */

/** The maximum time that an accepted token is cached, so a revoked token can remain accepted for this long. */
export const maxPositiveMillis = 300_000

/** How long before its end a verdict is renewed, unless it ends because the token expires. */
export const renewedAheadMillis = 60_000

/** How long a rejection is cached. */
export const negativeMillis = 10_000

/** The detail for the log when a cached token has expired. */
export const endPassed = "the token has expired"
