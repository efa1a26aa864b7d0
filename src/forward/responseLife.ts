/** How long a response may take, and how it is cut. Pure, but for the timer of a stream. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import { isEventStream } from "./isEventStream.ts"

/** Why the gateway cuts a response. */
export type CutReason = "token ended" | "response timeout"

/** When a response is cut, and how. */
export interface ResponseLife {
  readonly millis: number
  readonly reason: CutReason
  /**
   * It breaks off, for the client must not take it for complete. Otherwise it ends, as event streams do, and the client that
   * listens comes back with its next token.
   */
  readonly breaksOff: boolean
}

// Timers take no longer than that; a token that outlives it has no stream that would end.
const longestTimerMillis = 2_147_483_647

/**
 * How long a response to this caller may take; `undefined`: as long as it likes.
 *
 * A request is authorized when it begins, so its response is finished even if the token expires before its end, up to
 * `MCP_RESPONSE_TIMEOUT`. A stream that only listens does not end by itself, and would otherwise outlive every token.
 *
 * @param listens the request opens a stream of notifications: a `GET`, or `subscriptions/listen` of MCP 2026-07-28
 * @param type the response's `Content-Type`
 */
export const responseLife = (
  { clockSkewSeconds, responseTimeoutMillis }: Pick<GatewaySettings, "clockSkewSeconds" | "responseTimeoutMillis">,
  identity: Identity | undefined,
  { listens, nowMillis, type }: { readonly listens: boolean; readonly nowMillis: number; readonly type: unknown }
): ResponseLife | undefined => {
  if (identity?.expiresAt === undefined) return undefined
  const left = Math.max(0, (identity.expiresAt + clockSkewSeconds) * 1000 - nowMillis)
  const life: ResponseLife = listens && isEventStream(type)
    ? { millis: left, reason: "token ended", breaksOff: false }
    : { millis: Math.max(left, responseTimeoutMillis), reason: "response timeout", breaksOff: true }
  return life.millis > longestTimerMillis ? undefined : life
}

/**
 * Cuts a stream when its life is over.
 *
 * @param onCut runs before the cut
 */
export const limitStream =
  ({ breaksOff, millis }: ResponseLife, onCut: Effect.Effect<void>) =>
  <E>(stream: Stream.Stream<Uint8Array, E>): Stream.Stream<Uint8Array, E | UpstreamUnavailable> => {
    const cut = breaksOff
      ? Effect.fail(new UpstreamUnavailable({ detail: "the response takes longer than MCP_RESPONSE_TIMEOUT" }))
      : Effect.void
    return Stream.interruptWhen(stream, Effect.sleep(millis).pipe(Effect.andThen(onCut), Effect.andThen(cut)))
  }
