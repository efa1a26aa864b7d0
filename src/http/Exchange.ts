import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { AccessDenied, GatewayError, InvalidRequest } from "../errors/GatewayError.ts"
import type { MeasuredOperation } from "../forward/prepare.ts"
import type { CutReason } from "../forward/responseLife.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Operation } from "../message/operation.ts"
import type { Decision } from "../rules/Decision.ts"
import { readOriginalRequest } from "./originalRequest.ts"
import { isTrustedPeer, type RawHead, rawHead, type RequestHead, traceId } from "./requestHead.ts"
import type { RequestTrace } from "./RequestTrace.ts"
import type { Route } from "./route.ts"

/** Why a response is not complete. */
export type Ending = CutReason | "broken off" | "client left" | "reloaded" | "shutting down"

/**
 * One request and its response, as far as they have progressed.
 *
 * The readonly fields are set when the request arrives. The course sets the others, which the log entry at the end
 * shows.
 */
export interface Exchange {
  /** The request. If a proxy requests a decision, the original request that the proxy received. */
  readonly request: RequestHead
  readonly raw: RawHead
  /** The id of the request in `MCP_TRACE_HEADER`. */
  readonly traceId: string
  /** The spans of the request; `undefined` if the program has no tracer. */
  readonly trace: RequestTrace | undefined
  readonly origin: string | undefined
  /** The value of the field with the token. Logs and spans must not contain it. */
  readonly authorization: string | undefined
  readonly trustedPeer: boolean
  /**
   * Defined if a proxy requests a decision and forwards the original request itself. `problem` is why the subrequest is
   * invalid.
   */
  readonly subrequest: { readonly problem: InvalidRequest | AccessDenied | undefined } | undefined
  readonly startedAtNanos: bigint
  /** The route of the request, once it is known. */
  route: Route | undefined
  /** The URL that the client uses for the gateway, without the MCP path, once it is known. */
  base: string | undefined
  identity: Identity | undefined
  /** The operations of the messages in the body; `undefined` if no step of the course had to read them. */
  operations: ReadonlyArray<Operation> | undefined
  /** The operation of the body, if requests are measured and no step had to read `operations`. */
  measured: MeasuredOperation | undefined
  /** The decision of the rules about each operation, in the same order; `undefined` if the rules were not checked. */
  decisions: ReadonlyArray<Decision> | undefined
  error: GatewayError | undefined
  /** The request has passed all checks, and is sent to the MCP server. */
  wasSent: boolean
  /** The id of the session that the response names, as the client knows it. */
  session: string | ReadonlyArray<string> | undefined
  /** The status of the response, once there is one. */
  status: number | undefined
  /** The response is an event stream that counts as open. */
  isStream: boolean
  /** Why the gateway ended the response early, if it did. */
  ended: Ending | undefined
}

/**
 * Begins the exchange of a request that has just arrived.
 *
 * @param startedAtNanos when it arrived, by the clock that also measures its duration
 * @param trace the spans of the request, if it is traced
 */
export const begin = (
  settings: GatewaySettings,
  arrived: RequestHead,
  startedAtNanos: bigint,
  trace?: RequestTrace
): Exchange => {
  const original = settings.forwardAuth ? readOriginalRequest(settings.trustedProxies, arrived) : undefined
  const request = original === undefined || Result.isFailure(original) ? arrived : original.success
  return {
    request,
    raw: rawHead(request),
    traceId: traceId(request.headers[settings.traceHeader], trace?.span.traceId),
    trace,
    origin: request.headers["origin"],
    authorization: request.headers[settings.tokenHeader],
    trustedPeer: isTrustedPeer(settings.trustedProxies, request),
    subrequest: original && { problem: Result.isFailure(original) ? original.failure : undefined },
    startedAtNanos,
    route: undefined,
    base: undefined,
    identity: undefined,
    operations: undefined,
    measured: undefined,
    decisions: undefined,
    error: undefined,
    wasSent: false,
    session: undefined,
    status: undefined,
    isStream: false,
    ended: undefined
  }
}

/** The ids of an exchange in log entries and audit entries. */
export interface ExchangeIds {
  readonly trace_id: string
  /** The id in `MCP_TRACE_HEADER`, if it differs from the id of the trace. */
  readonly request_id?: string
}

/** Returns the ids of an exchange: the id of its trace if it is traced, otherwise the id of the request. */
export const idsOf = ({ trace, traceId }: Exchange): ExchangeIds =>
  trace === undefined || trace.span.traceId === traceId
    ? { trace_id: traceId }
    : { trace_id: trace.span.traceId, request_id: traceId }
