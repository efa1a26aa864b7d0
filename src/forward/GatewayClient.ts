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
  /** The caller, for a client that chooses a server or adds a credential by it; `undefined` where there is none. */
  readonly identity?: Identity | undefined
  /** Whose share of the MCP server it takes, where that is known. */
  readonly owner?: Owner | undefined
}

/** What the log is told of a request that is refused because too many wait, all in all or of its owner. */
export const tooManyWait = (all: number): string =>
  `${all} requests wait for the MCP server, and this caller may have no more of them`

/** What the log is told of a response that is an event stream, where too many are open already. */
export const tooManyStreams = "too many event streams are open, all in all or of this caller"

/** The answer, its head complete, its body still on the way unless it was short. */
export interface UpstreamResponse {
  readonly status: number
  /** Lower-case names; an array where the field was repeated. */
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body: UpstreamBody
}

/** A body that came whole with the head, or one that is still arriving. */
export type UpstreamBody =
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Stream"; readonly stream: Stream.Stream<Uint8Array, UpstreamError> }

/**
 * Sends one request to the configured MCP server.
 *
 * Follows no redirects and decodes nothing. May send a request a second time where the connection is lost before any of an
 * answer, if the server cannot have read it or reading it twice does no harm (RFC 9110, section 9.2.2). Interrupting the effect, or closing its scope before the
 * body has ended, cancels the upstream request. Fails with `UpstreamUnavailable` or `UpstreamTimeout`. On Node use
 * `NodeGatewayClient.layer`, elsewhere `HttpGatewayClient.layerFetch`; `GatewayClientTest` of `mcp-authorizer/testing`
 * says whether one of your own is right.
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
}>()("mcp-authorizer/forward/GatewayClient") {}
