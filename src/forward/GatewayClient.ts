/**
 * The client of the MCP server.
 *
 * The one service of the request path that differs between platforms: Node uses `undici`, other platforms Effect's
 * `HttpClient`.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { UpstreamError } from "../errors/GatewayError.ts"
import type { Owner } from "../fairness/FairQueue.ts"
import type { Identity } from "../identity/Identity.ts"

/** A request in its final form: header rules, identity and body rules have been applied. */
export interface UpstreamRequest {
  readonly method: string
  /** Origin-form target (path and query), sent byte for byte. */
  readonly target: string
  /** Names in lower case, one value each. */
  readonly headers: Readonly<Record<string, string>>
  /** `undefined` for a request without a body. */
  readonly body: Uint8Array | undefined
  /**
   * The caller, for clients that choose a server or add a credential by it; `undefined` for a request without a caller.
   */
  readonly identity?: Identity | undefined
  /** The owner whose share of the MCP server the request uses, if known. */
  readonly owner?: Owner | undefined
}

/** The detail for the log if a request is rejected because too many wait, in total or for its owner. */
export const tooManyWait = (all: number): string =>
  `${all} requests wait for the MCP server, and this caller may have no more of them`

/** The detail for the log if an event stream is rejected because too many are open. */
export const tooManyStreams = "too many event streams are open, all in all or of this caller"

/** The head of a response. */
export interface ResponseHead {
  readonly status: number
  /** Names in lower case; an array if the field was repeated. */
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
}

/** A response with a complete head. Its body may still be arriving, unless it is short. */
export interface UpstreamResponse extends ResponseHead {
  readonly body: UpstreamBody
}

/** A body that came whole with the head, or one that is still arriving. */
export type UpstreamBody =
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Stream"; readonly stream: Stream.Stream<Uint8Array, UpstreamError> }

/** Pauses the MCP server while a client reads slowly. */
export interface Flow {
  readonly pause: () => void
  readonly resume: () => void
}

/**
 * Receives a response in parts. Either `whole` is called, or `begin`, then `piece` for each part, then `end`; `fail` or
 * `fault` at any time instead.
 */
export interface ResponseReceiver {
  /** The whole response: one without a body, or with a short one. */
  readonly whole: (head: ResponseHead, body: Uint8Array | undefined) => void
  /** The head of a longer response. `piece` follows. */
  readonly begin: (head: ResponseHead, flow: Flow) => void
  readonly piece: (chunk: Uint8Array) => void
  readonly end: () => void
  /** The request has failed; after `begin`, this means that the response is incomplete. */
  readonly fail: (error: UpstreamError) => void
  /** Like `fail`, for a defect of the client. */
  readonly fault: (defect: unknown) => void
}

/** A request that was sent. */
export interface PendingCall {
  /** Cancels the request. Does nothing once the response has ended. */
  readonly cancel: () => void
  /**
   * Starts the timeout of the MCP server, unless it is running: the server has to respond, or to accept more of the
   * message.
   */
  readonly startClock: () => void
  /** Stops the timeout, while the client has to send more of the message. */
  readonly stopClock: () => void
}

/** A message that is sent while it arrives. */
export type ArrivingMessage = AsyncIterable<Uint8Array>

/**
 * Sends a request with callbacks, without an effect. May call `fail` of the receiver before it returns.
 *
 * @param message the body, if it is still arriving; `startClock` and `stopClock` must then be called while it is sent
 */
export type Dispatch = (request: UpstreamRequest, receiver: ResponseReceiver, message?: ArrivingMessage) => PendingCall

/**
 * Sends one request to the configured MCP server.
 *
 * Follows no redirects and decodes nothing. If the connection is lost before any part of the response has arrived, it
 * may send the request a second time, provided that the server cannot have read the request or that reading it twice is
 * harmless (RFC 9110, section 9.2.2). Interrupting the effect, or closing its scope before the body has ended, cancels
 * the upstream request. Fails with `UpstreamUnavailable` or `UpstreamTimeout`. Use `NodeGatewayClient.layer` on Node,
 * and `HttpGatewayClient.layerFetch` elsewhere. `GatewayClientTest` of `mcp-authorizer/testing` checks a client of your
 * own.
 *
 * **Example** (an MCP server in the same process)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import { GatewayClient } from "mcp-authorizer"
 *
 * const bytes = new TextEncoder().encode(`{"jsonrpc":"2.0","id":1,"result":{}}`)
 *
 * const InProcess = Layer.succeed(GatewayClient, {
 *   send: () =>
 *     Effect.succeed({ status: 200, headers: { "content-type": "application/json" }, body: { _tag: "Bytes", bytes } })
 * })
 * ```
 */
export class GatewayClient extends Context.Service<GatewayClient, {
  readonly send: (request: UpstreamRequest) => Effect.Effect<UpstreamResponse, UpstreamError, Scope.Scope>
  /**
   * Like `send`, with callbacks, for hosts that handle requests without effects, as Node does. If left out, it is
   * derived from `send`.
   *
   * Only a client that has it can send long messages while they arrive.
   */
  readonly dispatch?: Dispatch | undefined
}>()("mcp-authorizer/forward/GatewayClient") {}
