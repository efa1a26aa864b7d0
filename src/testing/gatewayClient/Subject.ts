import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { UpstreamError } from "../../errors/GatewayError.ts"
import { GatewayClient, type UpstreamRequest, type UpstreamResponse } from "../../forward/GatewayClient.ts"
import { type Responder, startUpstream, type Upstream } from "./Upstream.ts"

/** Options of a gateway client under test. Every option has a default. */
export interface ClientOptions {
  /**
   * Fields that the client itself adds to each request, such as a key of the MCP server: lower-case names. Default: none.
   */
  readonly adds?: ReadonlyArray<string> | undefined
}

/** The settings that a case may change. */
export interface Settings {
  /** In seconds. Default: 30. */
  readonly upstreamTimeout?: number
  readonly maxWaiting?: number
}

/** The client under test, built again for each case, because the URL of its upstream is a part of the case. */
export class Subject extends Context.Service<Subject, {
  readonly connect: (
    gatewayUrl: string,
    settings?: Settings
  ) => Effect.Effect<GatewayClient["Service"], never, Scope.Scope>
  /** The fields that the client itself adds. */
  readonly adds: ReadonlySet<string>
}>()("mcp-authorizer/testing/gatewayClient/Subject") {
  /** All settings of the suite are valid: a client that cannot be built with them dies. */
  static readonly layer = <E>(
    client: Layer.Layer<GatewayClient, E, GatewayConfig>,
    options: ClientOptions = {}
  ): Layer.Layer<Subject> =>
    Layer.succeed(Subject, {
      adds: new Set(options.adds),
      connect: Effect.fnUntraced(function*(gatewayUrl, settings = {}) {
        const config = GatewayConfig.layer({
          server_url: gatewayUrl,
          auth_enabled: false,
          upstream_timeout: settings.upstreamTimeout ?? 30,
          max_waiting: settings.maxWaiting
        })
        // A separate memo map: with a shared one, every case would get the first client.
        const context = yield* Layer.buildWithMemoMap(
          Layer.provide(client, config),
          yield* Layer.makeMemoMap,
          yield* Scope.Scope
        )
        return Context.get(context, GatewayClient)
      }, Effect.orDie)
    })
}

/** Builds the client under test and an upstream that handles all requests with `responder`. */
export const connect = Effect.fnUntraced(function*(
  responder: Responder,
  settings?: Settings
): Effect.fn.Return<GatewayClient["Service"] & { readonly upstream: Upstream }, never, Subject | Scope.Scope> {
  const subject = yield* Subject
  const upstream = yield* startUpstream(responder)
  const { send } = yield* subject.connect(`${upstream.origin}/mcp`, settings)
  return { send, upstream }
})

/** An ordinary request, with the given changes. */
export const request = (changes: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
  method: "POST",
  target: "/mcp",
  headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
  body: new TextEncoder().encode("{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}"),
  ...changes
})

/** Returns the chunks of a response's body. */
export const chunksOf = ({ body }: UpstreamResponse): Stream.Stream<Uint8Array, UpstreamError> =>
  body._tag === "Stream" ? body.stream : body._tag === "Bytes" ? Stream.make(body.bytes) : Stream.empty

/** Reads a response's body to its end. */
export const bodyOf = (response: UpstreamResponse): Effect.Effect<Uint8Array, UpstreamError> =>
  Stream.mkUint8Array(chunksOf(response))
