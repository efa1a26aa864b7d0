import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import type { CutReason } from "../forward/responseLife.ts"
import type { Identity } from "../identity/Identity.ts"
import type { RequestHead } from "./RequestHead.ts"
import type { Route } from "./route.ts"
import { traceId } from "./traceId.ts"
import { isTrustedPeer } from "./trustedPeer.ts"
import { type Wire, wire } from "./wire.ts"

/** Why an answer is not complete. */
export type Ending = CutReason | "broken off" | "client left" | "shutting down"

/**
 * One request and its answer, as far as they have come.
 *
 * The fixed part is known when the request arrives; the stages write down who called and what went wrong, for the one
 * log line at the end.
 */
export interface Exchange {
  readonly request: RequestHead
  readonly wire: Wire
  readonly traceId: string
  readonly origin: string | undefined
  readonly trustedPeer: boolean
  readonly startedAtNanos: bigint
  /** Where it goes, once that is known. */
  route: Route | undefined
  /** The URL by which the client knows the gateway, without the MCP path, once that is known. */
  base: string | undefined
  identity: Identity | undefined
  error: GatewayError | undefined
  /** The status of the answer, once there is one. */
  status: number | undefined
  /** Why the answer is not complete, where the gateway itself ends it. */
  ended: Ending | undefined
}

/**
 * Begins the exchange of a request that has just arrived.
 *
 * @param startedAtNanos the time of its arrival, by the clock that the duration is taken from
 */
export const begin = (settings: GatewaySettings, request: RequestHead, startedAtNanos: bigint): Exchange => ({
  request,
  wire: wire(request),
  traceId: traceId(request.headers[settings.traceHeader]),
  origin: request.headers["origin"],
  trustedPeer: isTrustedPeer(settings.trustedProxies, request),
  startedAtNanos,
  route: undefined,
  base: undefined,
  identity: undefined,
  error: undefined,
  status: undefined,
  ended: undefined
})
