import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { UpstreamError } from "../../errors/GatewayError.ts"
import { GatewayClient, type UpstreamRequest, type UpstreamResponse } from "../../forward/GatewayClient.ts"
import { type Answer, startUpstream, type Upstream } from "./Upstream.ts"

/** How a gateway client under test is set up; every field has a default. */
export interface ClientOptions {
  /**
   * Fields that the client adds to each request on its own account, such as a key of the MCP server: lower-case names.
   * None unless given.
   */
  readonly adds?: ReadonlyArray<string> | undefined
}

/** What a case may set. */
export interface Settings {
  /** Seconds; 30 unless given. */
  readonly upstreamTimeout?: number
  readonly maxWaiting?: number
}

/** The client under test, built anew for each case: the URL of its upstream is a part of the case. */
export class Subject extends Context.Service<Subject, {
  readonly connect: (
    gatewayUrl: string,
    settings?: Settings
  ) => Effect.Effect<GatewayClient["Service"], never, Scope.Scope>
  /** The fields that it adds on its own account. */
  readonly adds: ReadonlySet<string>
}>()("mcp-authorizer/testing/gatewayClient/Subject") {
  /** Settings of the suite are all valid: a client that cannot be built with them dies. */
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
        // A memo map of its own: one that is shared would give every case the first client.
        const context = yield* Layer.buildWithMemoMap(
          Layer.provide(client, config),
          yield* Layer.makeMemoMap,
          yield* Scope.Scope
        )
        return Context.get(context, GatewayClient)
      }, Effect.orDie)
    })
}

/** The client under test and its upstream, which gives this answer to all that it is asked. */
export const connect = Effect.fnUntraced(function*(
  answer: Answer,
  settings?: Settings
): Effect.fn.Return<GatewayClient["Service"] & { readonly upstream: Upstream }, never, Subject | Scope.Scope> {
  const subject = yield* Subject
  const upstream = yield* startUpstream(answer)
  const { send } = yield* subject.connect(`${upstream.origin}/mcp`, settings)
  return { send, upstream }
})

/** A request in which nothing is unusual, but for what is given. */
export const request = (changes: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
  method: "POST",
  target: "/mcp",
  headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
  body: new TextEncoder().encode("{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}"),
  ...changes
})

/** The chunks of an answer's body. */
export const chunksOf = ({ body }: UpstreamResponse): Stream.Stream<Uint8Array, UpstreamError> =>
  body._tag === "Stream" ? body.stream : body._tag === "Bytes" ? Stream.make(body.bytes) : Stream.empty

/** Reads an answer's body to its end. */
export const bodyOf = (response: UpstreamResponse): Effect.Effect<Uint8Array, UpstreamError> =>
  Stream.mkUint8Array(chunksOf(response))
