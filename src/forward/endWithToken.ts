import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Identity } from "../identity/Identity.ts"
import type { UpstreamResponse } from "./GatewayClient.ts"
import { isEventStream } from "./isEventStream.ts"

// Timers take no longer than that; a token that outlives it has no stream that would end.
const longestTimerMillis = 2_147_483_647

/**
 * How long a stream may go on that this identity's token has opened, in milliseconds; `undefined`: as long as it likes.
 *
 * @param skewSeconds tolerance for the end of a token
 */
export const streamLifeMillis = (
  { expiresAt }: Identity,
  skewSeconds: number,
  nowMillis: number
): number | undefined => {
  if (expiresAt === undefined) return undefined
  const left = Math.max(0, (expiresAt + skewSeconds) * 1000 - nowMillis)
  return left > longestTimerMillis ? undefined : left
}

/**
 * Ends an event stream when the token that opened it ends.
 *
 * Whoever listens comes back with its next token; a stream that was opened once would otherwise outlive every token.
 * Other answers are short, and are let through whole.
 *
 * @param skewSeconds tolerance for the end of a token
 */
export const endWithToken = (
  response: UpstreamResponse,
  identity: Identity | undefined,
  skewSeconds: number
): Effect.Effect<UpstreamResponse> => {
  const { body } = response
  if (body._tag !== "Stream" || identity === undefined || !isEventStream(response.headers["content-type"])) {
    return Effect.succeed(response)
  }
  return Effect.map(Clock.currentTimeMillis, (now) => {
    const left = streamLifeMillis(identity, skewSeconds, now)
    return left === undefined
      ? response
      : { ...response, body: { _tag: "Stream", stream: Stream.interruptWhen(body.stream, Effect.sleep(left)) } }
  })
}
