/** How long verdicts about opaque tokens are cached, on every host. */

/** How long an accepted token is cached at most: a revoked token can remain accepted for this long. */
export const maxPositiveMillis = 300_000

/** How long before that the verdict is renewed, unless the token itself expires. */
export const renewedAheadMillis = 60_000

/** How long a rejection is cached. */
export const negativeMillis = 10_000

/** The detail for the log when a cached token has expired. */
export const endPassed = "the token has expired"
