import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Route } from "./route.ts"
import { traceId } from "./traceId.ts"
import { isTrustedPeer } from "./trustedPeer.ts"
import { type Wire, wire } from "./wire.ts"

/**
 * One request and its answer, as far as they have come.
 *
 * The fixed part is known when the request arrives; the stages write down who called and what went wrong, for the one
 * log line at the end.
 */
export interface Exchange {
  readonly request: HttpServerRequest.HttpServerRequest
  readonly wire: Wire
  readonly traceId: string
  readonly origin: string | undefined
  readonly trustedPeer: boolean
  readonly startedAtNanos: bigint
  /** Where it goes, once that is known. */
  route: Route | undefined
  identity: Identity | undefined
  error: GatewayError | undefined
  /** The status of the answer, once there is one. */
  status: number | undefined
}

/** Begins the exchange of a request that has just arrived. */
export const begin = (
  settings: GatewaySettings,
  request: HttpServerRequest.HttpServerRequest
): Effect.Effect<Exchange> =>
  Effect.map(Clock.currentTimeNanos, (startedAtNanos) => ({
    request,
    wire: wire(request),
    traceId: traceId(request.headers[settings.traceHeader]),
    origin: request.headers["origin"],
    trustedPeer: isTrustedPeer(settings.trustedProxies, request.peerAddress),
    startedAtNanos,
    route: undefined,
    identity: undefined,
    error: undefined,
    status: undefined
  }))
