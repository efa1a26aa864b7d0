import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { AccessDenied, GatewayError, InvalidRequest } from "../errors/GatewayError.ts"
import type { MeasuredOperation } from "../forward/prepare.ts"
import type { CutReason } from "../forward/responseLife.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Operation } from "../message/operation.ts"
import type { Decision } from "../rules/Decision.ts"
import { askedRequest } from "./askedRequest.ts"
import { isTrustedPeer, type RawHead, rawHead, type RequestHead, traceId } from "./requestHead.ts"
import type { RequestTrace } from "./RequestTrace.ts"
import type { Route } from "./route.ts"

/** Why a response is not complete. */
export type Ending = CutReason | "broken off" | "client left" | "reloaded" | "shutting down"

/**
 * One request and its response, as far as they have progressed.
 *
 * The fixed part is known when the request arrives. The course records the caller and the error, for the log entry at
 * the end.
 */
export interface Exchange {
  /** The request, or the one for which a proxy requests a decision. */
  readonly request: RequestHead
  readonly raw: RawHead
  /** The id of the request in `MCP_TRACE_HEADER`. */
  readonly traceId: string
  /** Its spans; `undefined` if the program has no tracer. */
  readonly trace: RequestTrace | undefined
  readonly origin: string | undefined
  /** The value of the token field, which is shown nowhere. */
  readonly authorization: string | undefined
  readonly trustedPeer: boolean
  /**
   * A proxy requests a decision and forwards the request itself; with the problem of its subrequest, if there is one.
   */
  readonly subrequest: { readonly problem: InvalidRequest | AccessDenied | undefined } | undefined
  readonly startedAtNanos: bigint
  /** Where it goes, once that is known. */
  route: Route | undefined
  /** The URL by which the client knows the gateway, without the MCP path, once that is known. */
  base: string | undefined
  identity: Identity | undefined
  /** The operations of the messages in the body; `undefined` where nothing had to read them. */
  operations: ReadonlyArray<Operation> | undefined
  /** The operation of the body, if it is measured and nothing had to read `operations`. */
  measured: MeasuredOperation | undefined
  /** What the rules decided about each of them, in their order; `undefined` if the rules were not checked. */
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
  /** Why the response is not complete, if the gateway itself ends it. */
  ended: Ending | undefined
}

/**
 * Begins the exchange of a request that has just arrived.
 *
 * @param startedAtNanos the time of its arrival, by the clock that the duration is taken from
 * @param trace its spans, if it is traced
 */
export const begin = (
  settings: GatewaySettings,
  arrived: RequestHead,
  startedAtNanos: bigint,
  trace?: RequestTrace
): Exchange => {
  const asked = settings.forwardAuth ? askedRequest(settings.trustedProxies, arrived) : undefined
  const request = asked === undefined || Result.isFailure(asked) ? arrived : asked.success
  return {
    request,
    raw: rawHead(request),
    traceId: traceId(request.headers[settings.traceHeader], trace?.span.traceId),
    trace,
    origin: request.headers["origin"],
    authorization: request.headers[settings.tokenHeader],
    trustedPeer: isTrustedPeer(settings.trustedProxies, request),
    subrequest: asked && { problem: Result.isFailure(asked) ? asked.failure : undefined },
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
  /** The id in `MCP_TRACE_HEADER`, where it is not the id of the trace. */
  readonly request_id?: string
}

/** Returns the ids of an exchange: the id of its trace if it is traced, otherwise the id of the request. */
export const idsOf = ({ trace, traceId }: Exchange): ExchangeIds =>
  trace === undefined || trace.span.traceId === traceId
    ? { trace_id: traceId }
    : { trace_id: trace.span.traceId, request_id: traceId }
