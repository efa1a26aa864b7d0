/**
 * The way to the MCP server behind the gateway.
 *
 * The one service of the request path that differs between platforms: Node sends through `undici`, others through
 * Effect's `HttpClient`.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { UpstreamError } from "../errors/GatewayError.ts"
import type { Owner } from "../fairness/FairQueue.ts"
import type { Identity } from "../identity/Identity.ts"

/** A request as it is to leave the gateway: header rules, identity and body rules are already applied. */
export interface UpstreamRequest {
  readonly method: string
  /** Origin-form target (path and query), sent byte for byte. */
  readonly target: string
  /** Lower-case names, one value each. */
  readonly headers: Readonly<Record<string, string>>
  /** `undefined` for a request without a body. */
  readonly body: Uint8Array | undefined
  /** The caller, for a client that chooses a server or adds a credential by it; `undefined` for a request without one. */
  readonly identity?: Identity | undefined
  /** The owner of the share of the MCP server that it uses, if known. */
  readonly owner?: Owner | undefined
}

/** The log's detail for a request that is rejected because too many wait, in total or for its owner. */
export const tooManyWait = (all: number): string =>
  `${all} requests wait for the MCP server, and this caller may have no more of them`

/** The log's detail for a response that is an event stream, where too many are open already. */
export const tooManyStreams = "too many event streams are open, all in all or of this caller"

/** The head of a response. */
export interface ResponseHead {
  readonly status: number
  /** Lower-case names; an array where the field was repeated. */
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
}

/** A response, its head complete, its body still on the way unless it was short. */
export interface UpstreamResponse extends ResponseHead {
  readonly body: UpstreamBody
}

/** A body that came whole with the head, or one that is still arriving. */
export type UpstreamBody =
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Stream"; readonly stream: Stream.Stream<Uint8Array, UpstreamError> }

/** Makes the MCP server wait, where a client reads slowly. */
export interface Flow {
  readonly pause: () => void
  readonly resume: () => void
}

/**
 * The receiver of a response, chunk by chunk: `whole`; or `begin`, then pieces, then `end`; or `fail` or `fault` at any
 * time.
 */
export interface ResponseReceiver {
  /** The whole response: one without a body, or with a short one. */
  readonly whole: (head: ResponseHead, body: Uint8Array | undefined) => void
  /** The head of a longer one, whose pieces follow. */
  readonly begin: (head: ResponseHead, flow: Flow) => void
  readonly piece: (chunk: Uint8Array) => void
  readonly end: () => void
  /** The request failed; after `begin`, the response is incomplete. */
  readonly fail: (error: UpstreamError) => void
  /** The same for a defect of the client. */
  readonly fault: (defect: unknown) => void
}

/** A request that was sent. */
export interface PendingCall {
  /** Cancels the request; does nothing once the response has ended. */
  readonly cancel: () => void
  /** It is the MCP server's turn, to respond or to take more of the message: its time runs, unless it does already. */
  readonly startClock: () => void
  /** It is the client's turn. */
  readonly stopClock: () => void
}

/** A message that is sent while it arrives. */
export type ArrivingMessage = AsyncIterable<Uint8Array>

/**
 * Sends a request without an effect; it may call `fail` of the receiver before it returns.
 *
 * @param message the body, where it is still arriving; `startClock` and `stopClock` then tell it whose turn it is
 */
export type Dispatch = (request: UpstreamRequest, receiver: ResponseReceiver, message?: ArrivingMessage) => PendingCall

/**
 * Sends one request to the configured MCP server.
 *
 * Follows no redirects and decodes nothing. May send a request a second time if the connection is lost before any of the
 * response has arrived, and the server cannot have read the request or reading it twice is harmless (RFC 9110, section
 * 9.2.2). Interrupting the effect, or closing its scope before the body has ended, cancels the upstream request. Fails with `UpstreamUnavailable` or `UpstreamTimeout`. On Node use
 * `NodeGatewayClient.layer`, elsewhere `HttpGatewayClient.layerFetch`; `GatewayClientTest` of `mcp-authorizer/testing`
 * checks a client of your own.
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
   * The same by callbacks, for hosts that drive requests without effects, as Node does; made of `send` where it is left out.
   *
   * Only a client that has it can send long messages while they arrive.
   */
  readonly dispatch?: Dispatch | undefined
}>()("mcp-authorizer/forward/GatewayClient") {}
