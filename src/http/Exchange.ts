import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import type { CutReason } from "../forward/responseLife.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Operation } from "../message/operation.ts"
import type { Decision } from "../rules/Decision.ts"
import { isTrustedPeer, type RawHead, rawHead, type RequestHead, traceId } from "./requestHead.ts"
import type { Route } from "./route.ts"

/** Why a response is not complete. */
export type Ending = CutReason | "broken off" | "client left" | "shutting down"

/**
 * One request and its response, as far as they have come.
 *
 * The fixed part is known when the request arrives. The course writes down who called and what went wrong, for the one
 * log entry at the end.
 */
export interface Exchange {
  readonly request: RequestHead
  readonly raw: RawHead
  readonly traceId: string
  readonly origin: string | undefined
  readonly trustedPeer: boolean
  readonly startedAtNanos: bigint
  /** Where it goes, once that is known. */
  route: Route | undefined
  /** The URL by which the client knows the gateway, without the MCP path, once that is known. */
  base: string | undefined
  identity: Identity | undefined
  /** What the messages of the body ask for; `undefined` where nothing had to read them. */
  operations: ReadonlyArray<Operation> | undefined
  /** What the rules decided about each of them, in their order; `undefined` where they were not asked. */
  decisions: ReadonlyArray<Decision> | undefined
  error: GatewayError | undefined
  /** Nothing of the gateway's stands between the request and the MCP server any more. */
  wasSent: boolean
  /** The id of the session that the response names, as the client knows it. */
  session: string | ReadonlyArray<string> | undefined
  /** The status of the response, once there is one. */
  status: number | undefined
  /** Why the response is not complete, where the gateway itself ends it. */
  ended: Ending | undefined
}

/**
 * Begins the exchange of a request that has just arrived.
 *
 * @param startedAtNanos the time of its arrival, by the clock that the duration is taken from
 */
export const begin = (settings: GatewaySettings, request: RequestHead, startedAtNanos: bigint): Exchange => ({
  request,
  raw: rawHead(request),
  traceId: traceId(request.headers[settings.traceHeader]),
  origin: request.headers["origin"],
  trustedPeer: isTrustedPeer(settings.trustedProxies, request),
  startedAtNanos,
  route: undefined,
  base: undefined,
  identity: undefined,
  operations: undefined,
  decisions: undefined,
  error: undefined,
  wasSent: false,
  session: undefined,
  status: undefined,
  ended: undefined
})
