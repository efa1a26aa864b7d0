import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** The current time as JWTs count it (NumericDate, RFC 7519, section 2): whole seconds since 1970. */
export const nowSeconds: Effect.Effect<number> = Effect.map(
  Clock.currentTimeMillis,
  (millis) => Math.floor(millis / 1000)
)
