/** How long a response may take, and how it is cut. Pure, except for the timer of a stream. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import { isEventStream } from "./isEventStream.ts"

/** Why the gateway cuts a response. */
export type CutReason = "token ended" | "response timeout"

export interface ResponseLife {
  readonly millis: number
  readonly reason: CutReason
  /**
   * If `true`, the response is aborted, so that the client does not take it for complete. If `false`, it ends normally:
   * the client of an event stream then reconnects with its next token.
   */
  readonly breaksOff: boolean
}

// The longest delay of a timer. A token that is valid for longer needs no cut.
const longestTimerMillis = 2_147_483_647

/**
 * Returns how long a response to this caller may take; `undefined` if it is not limited.
 *
 * A request is authorized when it begins, so its response may continue after the token expires, up to
 * `MCP_RESPONSE_TIMEOUT`. A stream of notifications does not end by itself, so it is cut when the token expires.
 *
 * @param listens whether the request opens a stream of notifications: a `GET`, or `subscriptions/listen` of MCP
 * 2026-07-28
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
 * Cuts a stream at the end of its life.
 *
 * @param onCut called before the cut
 */
export const limitStream =
  ({ breaksOff, millis }: ResponseLife, onCut: Effect.Effect<void>) =>
  <E>(stream: Stream.Stream<Uint8Array, E>): Stream.Stream<Uint8Array, E | UpstreamUnavailable> => {
    const cut = breaksOff
      ? Effect.fail(new UpstreamUnavailable({ detail: "the response takes longer than MCP_RESPONSE_TIMEOUT" }))
      : Effect.void
    return Stream.interruptWhen(stream, Effect.sleep(millis).pipe(Effect.andThen(onCut), Effect.andThen(cut)))
  }
