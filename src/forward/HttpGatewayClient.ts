/** `GatewayClient` on Effect's `HttpClient`, for every platform that has one. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { gatewaySocket } from "../config/kinds/gatewaySocket.ts"
import { noteSettings, perConfiguration } from "../config/perConfiguration.ts"
import { type UpstreamInput, type UpstreamSettings, upstreamSettings } from "../config/upstreamSettings.ts"
import { type UpstreamError, UpstreamTimeout, UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { Owner } from "../fairness/FairQueue.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import { type Passage, UpstreamShares } from "../fairness/UpstreamShares.ts"
import { fromClientError, fromClientResponse } from "./fromClientResponse.ts"
import {
  GatewayClient,
  tooManyStreams,
  tooManyWait,
  type UpstreamRequest,
  type UpstreamResponse
} from "./GatewayClient.ts"
import { isEventStream } from "./isEventStream.ts"
import { toClientRequest } from "./toClientRequest.ts"

/** Closes resources of a failed or interrupted effect at once, and not only when the caller's scope closes. */
const closedOnFailure = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  return yield* effect.pipe(
    Scope.provide(scope),
    Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
  )
})

const onlyOnNode = new InvalidConfiguration({
  problems: [{
    setting: "MCP_SERVER_URL",
    source: undefined,
    problem: "is a Unix socket, which this client cannot reach",
    fix: "Use NodeGatewayClient on Node, or an http or https URL"
  }]
})

const fromSettings = Effect.fnUntraced(function*(
  { gatewayUrl, maxStreams, maxUpstreamConnections, maxWaiting, upstreamTimeoutMillis }: UpstreamSettings
) {
  if (gatewaySocket(gatewayUrl) !== undefined) return yield* onlyOnNode
  // Closing the scope cancels the pending request.
  const http = HttpClient.withScope(yield* HttpClient.HttpClient)
  const { origin } = new URL(gatewayUrl)
  const unwritable = new UpstreamUnavailable({ detail: "the request cannot be written to the wire" })

  // Without shared I/O, the host does not report that a client has disconnected, so a count of requests would only
  // grow.
  const counts = yield* SharedIo
  const shares = new UpstreamShares(
    { maxWaiting, maxConnections: maxUpstreamConnections, maxStreams },
    (step) => queueMicrotask(step)
  )

  /** Waits for a free connection, which is kept until the scope closes. */
  const connection = (owner: Owner | undefined): Effect.Effect<Passage, UpstreamUnavailable, Scope.Scope> =>
    Effect.suspend(() => {
      let entered: Passage | undefined
      const waits = Effect.callback<Passage, UpstreamUnavailable>((resume) => {
        entered = shares.enter(owner, (passage) => resume(Effect.succeed(passage)))
        if (entered === undefined) {
          resume(Effect.fail(new UpstreamUnavailable({ detail: tooManyWait(shares.waiting) })))
        }
      })
      const leaves = Effect.sync(() => {
        entered?.settled()
        entered?.ended()
      })
      return Effect.andThen(Effect.addFinalizer(() => leaves), waits)
    })

  const perform = Effect.fnUntraced(
    function*(request: UpstreamRequest): Effect.fn.Return<UpstreamResponse, UpstreamError, Scope.Scope> {
      const outgoing = toClientRequest(origin, request)
      if (outgoing === undefined) return yield* unwritable
      const passage = counts ? yield* connection(request.owner) : undefined
      const received = yield* http.execute(outgoing).pipe(
        Effect.mapError(fromClientError(upstreamTimeoutMillis)),
        // `node:http` throws if a field or a method is invalid.
        Effect.catchDefect(() => Effect.fail(unwritable))
      )
      const response = yield* fromClientResponse(request.method, received, upstreamTimeoutMillis)
      const isStream = response.body._tag === "Stream" && isEventStream(response.headers["content-type"])
      if (isStream && passage?.goesOn() === false) return yield* new UpstreamUnavailable({ detail: tooManyStreams })
      passage?.settled()
      if (response.body._tag !== "Stream") passage?.ended()
      return response
    },
    // The timeout includes the time in the queue for a connection.
    Effect.timeoutOrElse({
      duration: upstreamTimeoutMillis,
      orElse: () => Effect.fail(new UpstreamTimeout({ millis: upstreamTimeoutMillis }))
    }),
    // Disabled because the gateway has its own span for the request; this one would show all fields and the whole URL.
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
    // `fetch` follows redirects by default; other clients ignore this option.
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" })
  )

  return GatewayClient.of({ send: (request) => closedOnFailure(perform(request)) })
})

/**
 * A client of one MCP server, which needs no `GatewayConfig`.
 *
 * Use it for a second MCP server, or to choose the server for each request. Settings have the names and defaults of the
 * gateway's own; times are in seconds, or a `Duration`. Fails with `InvalidConfiguration`, which lists all problems.
 *
 * **Example** (two MCP servers behind one gateway)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import { GatewayClient, HttpGatewayClient } from "mcp-authorizer"
 *
 * const ByPath = Layer.effect(GatewayClient, Effect.gen(function*() {
 *   const notes = yield* HttpGatewayClient.make({ server_url: "https://notes.internal.example/mcp" })
 *   const wiki = yield* HttpGatewayClient.make({ server_url: "https://wiki.internal.example/mcp", upstream_timeout: 30 })
 *   return GatewayClient.of({
 *     send: (request) => request.target.startsWith("/mcp/wiki") ? wiki.send(request) : notes.send(request)
 *   })
 * }))
 * ```
 *
 * @see `layer` for the requirements on the `HttpClient`
 */
export const make = (
  input: UpstreamInput
): Effect.Effect<GatewayClient["Service"], InvalidConfiguration, HttpClient.HttpClient> =>
  Effect.flatMap(upstreamSettings(input), fromSettings)

/** `make` as a layer: the client of one MCP server, without a `GatewayConfig`. */
export const layerWith = (
  input: UpstreamInput
): Layer.Layer<GatewayClient, InvalidConfiguration, HttpClient.HttpClient> => Layer.effect(GatewayClient, make(input))

/**
 * `GatewayClient` on any `HttpClient`: Node, Bun, Deno, Workers, WASI.
 *
 * Use it where `undici` does not run. The `HttpClient` must be a plain one: without retries, cookies and followed
 * redirects (`fetch` is configured accordingly). The gateway URL is `http` or `https`; Unix sockets are not supported.
 * `MCP_UPSTREAM_TIMEOUT` covers connecting, the head, and a body that is short enough to be sent with it; a longer body
 * may take more time.
 *
 * If the platform cannot keep the service's contract exactly, requests fail with `UpstreamUnavailable`:
 *
 * - `Accept-Encoding` is always `identity`. A response whose body is encoded anyway is rejected, because
 *   some platforms decode it and leave its fields as they were.
 * - A target that URL parsers would change other than by percent-encoding is rejected before it is sent.
 * - A redirect that the platform hides (status 0) is rejected.
 *
 * The platform may do more than requested: `fetch` on Node sets `sec-fetch-mode`, adds `accept`, `accept-language` and
 * `user-agent` where they are missing, fails on a 407, and retries once on a 421 (RFC 9110, section 15.5.20).
 */
export const layer: Layer.Layer<GatewayClient, InvalidConfiguration, GatewayConfig | HttpClient.HttpClient> =
  perConfiguration(Layer.effect(
    GatewayClient,
    Effect.flatMap(
      GatewayConfig,
      (settings) =>
        Effect.map(fromSettings(settings), (client) => noteSettings(client, { gatewayUrl: settings.gatewayUrl }))
    )
  ))

/**
 * `GatewayClient` on the platform's `fetch`.
 *
 * Use it on Workers, Deno and Bun. Node's `fetch` aborts a stream that is silent for five minutes, as event streams may
 * be; the client of `mcp-authorizer/node` does not.
 */
export const layerFetch: Layer.Layer<GatewayClient, InvalidConfiguration, GatewayConfig> = perConfiguration(
  Layer.provide(layer, FetchHttpClient.layer)
)
