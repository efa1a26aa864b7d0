/** Gateway clients with one defect each, and the requirements that it violates. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import type * as Cookies from "effect/http/Cookies"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import { gunzipSync } from "node:zlib"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { UpstreamUnavailable } from "../../src/errors/GatewayError.ts"
import { GatewayClient, type UpstreamResponse } from "../../src/forward/GatewayClient.ts"
import * as HttpGatewayClient from "../../src/forward/HttpGatewayClient.ts"
import * as NodeGatewayClient from "../../src/node/NodeGatewayClient.ts"

type Send = GatewayClient["Service"]["send"]
type Client = Layer.Layer<GatewayClient, never, GatewayConfig>

/** Changes what the good client does. */
const changed = (change: (send: Send) => Send): Client =>
  Layer.effect(GatewayClient, Effect.map(GatewayClient, ({ send }) => GatewayClient.of({ send: change(send) }))).pipe(
    Layer.provide(Layer.orDie(NodeGatewayClient.layer))
  )

const withTarget = (change: (target: string) => string): Client =>
  changed((send) => (request) => send({ ...request, target: change(request.target) }))

const withResponse = (change: (response: UpstreamResponse) => Effect.Effect<UpstreamResponse>): Client =>
  changed((send) => (request) => Effect.flatMap(send(request), change))

/** The portable client over an `HttpClient` that does more than it should. */
const over = (change: (client: HttpClient.HttpClient) => HttpClient.HttpClient): Client =>
  HttpGatewayClient.layer.pipe(
    Layer.provide(Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, change))),
    Layer.provide(NodeHttpClient.layerNodeHttp),
    Layer.orDie
  )

const withSettings = (settings: Partial<GatewaySettings>): Client =>
  Layer.orDie(NodeGatewayClient.layer).pipe(
    Layer.provide(Layer.effect(GatewayConfig, Effect.map(GatewayConfig, (given) => ({ ...given, ...settings }))))
  )

const parsed = (target: string): URL => new URL(target, "http://upstream.test")

const collected = (response: UpstreamResponse): Effect.Effect<UpstreamResponse> =>
  response.body._tag !== "Stream" ? Effect.succeed(response) : Stream.mkUint8Array(response.body.stream).pipe(
    Effect.map((bytes): UpstreamResponse => ({ ...response, body: { _tag: "Bytes", bytes } })),
    Effect.orDie
  )

const withStream = (change: (stream: Stream.Stream<Uint8Array, UpstreamUnavailable>) => typeof stream): Client =>
  withResponse((response) =>
    Effect.succeed(
      response.body._tag !== "Stream" ? response : {
        ...response,
        body: {
          _tag: "Stream",
          stream: change(Stream.mapError(response.body.stream, () => new UpstreamUnavailable({ detail: "broke off" })))
        }
      }
    )
  )

/** The same wrappers around good clients, with nothing changed. */
export const unbroken: ReadonlyArray<Client> = [changed((send) => send), over((client) => client)]

/** Each defect is one that a product had, or that the platform has waiting. */
export const brokenGatewayClients: Readonly<
  Record<string, { readonly violates: ReadonlyArray<string>; readonly client: Client }>
> = {
  "loses the query (CVE-2026-32811, Heimdall: `?` taken into the path)": {
    violates: ["CLIENT-01"],
    client: withTarget((target) => target.replace("?", "%3F"))
  },
  "writes the query anew (Effect's HttpClientRequest.setUrl)": {
    violates: ["CLIENT-01"],
    client: withTarget((target) => {
      const { pathname, searchParams } = parsed(target)
      return searchParams.size === 0 ? pathname : `${pathname}?${searchParams.toString()}`
    })
  },
  "resolves dot segments and host-like paths (CVE-2026-26205, OPA-Envoy; HTTP-08)": {
    violates: ["CLIENT-02"],
    client: withTarget((target) => parsed(target).pathname + parsed(target).search)
  },
  "sends the fields of the request before (CVE-2026-32887, Effect; FWD-15)": {
    violates: ["CLIENT-04"],
    client: changed((send) => {
      let before: Readonly<Record<string, string>> = {}
      return (request) => {
        const headers = { ...before, ...request.headers }
        before = request.headers
        return send({ ...request, headers })
      }
    })
  },
  "adds trace fields (every HttpClient of Effect)": {
    violates: ["CLIENT-05"],
    client: changed((send) => (request) =>
      Effect.currentParentSpan.pipe(
        Effect.map(({ spanId, traceId }) => ({ traceparent: `00-${traceId}-${spanId}-01` })),
        Effect.orElseSucceed(() => ({})),
        Effect.flatMap((fields) => send({ ...request, headers: { ...request.headers, ...fields } }))
      )
    )
  },
  "says where the request came from (FWD-17)": {
    violates: ["CLIENT-05"],
    client: over(HttpClient.mapRequest(HttpClientRequest.setHeader("forwarded", "for=127.0.0.1")))
  },
  "keeps the upstream's cookies for the next caller (FWD-08)": {
    violates: ["CLIENT-05"],
    client: over(HttpClient.withCookiesRef(Ref.makeUnsafe<ReadonlyArray<Cookies.Cookie>>([])))
  },
  "reads bodies as text (FWD-14)": {
    violates: ["CLIENT-06"],
    client: changed((send) => (request) =>
      send({ ...request, body: request.body && new TextEncoder().encode(new TextDecoder().decode(request.body)) })
    )
  },
  "throws what the platform throws (CVE-2025-53365, MCP Python SDK; ERR-08)": {
    violates: ["CLIENT-07", "CLIENT-40"],
    client: changed((send) => (request) => Effect.orDie(send(request)))
  },
  "joins Set-Cookie fields": {
    violates: ["CLIENT-12"],
    client: withResponse((response) =>
      Effect.succeed({
        ...response,
        headers: Object.fromEntries(
          Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(", ")])
        )
      })
    )
  },
  "follows redirects (HTTP-19)": { violates: ["CLIENT-13"], client: over(HttpClient.followRedirects(3)) },
  "decodes the body and leaves the fields (fetch; HTTP-18)": {
    violates: ["CLIENT-14"],
    client: withResponse((response) =>
      Effect.map(
        collected(response),
        (whole): UpstreamResponse =>
          whole.body._tag === "Bytes" && whole.headers["content-encoding"] === "gzip"
            ? { ...whole, body: { _tag: "Bytes", bytes: gunzipSync(whole.body.bytes) } }
            : whole
      )
    )
  },
  "returns the response to another request (CVE-2026-25536, MCP TypeScript SDK; CVE-2026-2581, undici)": {
    violates: ["CLIENT-16"],
    client: changed((send) => {
      let last: UpstreamResponse | undefined
      return (request) =>
        Effect.map(send(request), (response) => {
          const reply = last ?? response
          last = response
          return { ...reply }
        })
    })
  },
  "returns one object as the head of all responses": {
    violates: ["CLIENT-17"],
    client: changed((send) => {
      const shared: Record<string, string | ReadonlyArray<string>> = {}
      return (request) =>
        Effect.map(send(request), (response) => {
          for (const name of Object.keys(shared)) delete shared[name]
          return { ...response, headers: Object.assign(shared, response.headers) }
        })
    })
  },
  "returns no part of a body before it is complete": { violates: ["CLIENT-20"], client: withResponse(collected) },
  "reads ahead of a reader that is slow (CVE-2026-27887, Spin)": {
    violates: ["CLIENT-21"],
    client: withStream(Stream.buffer({ capacity: "unbounded" }))
  },
  "ends a stream that is silent (fetch and undici, unless told not to)": {
    violates: ["CLIENT-22"],
    client: withStream(Stream.timeout("1 second"))
  },
  "leaks the connection of a client that leaves (DOS-06)": {
    violates: ["CLIENT-31"],
    client: changed((send) => (request) => Effect.flatMap(Scope.make(), (scope) => Scope.provide(send(request), scope)))
  },
  "lets any number wait (DOS-06)": {
    violates: ["CLIENT-32"],
    client: withSettings({ maxWaiting: Number.MAX_SAFE_INTEGER })
  },
  "asks again after a reset": { violates: ["CLIENT-41"], client: over(HttpClient.retryTransient({ times: 1 })) },
  "takes a body that broke off for complete": {
    violates: ["CLIENT-43"],
    client: withStream(Stream.catch(() => Stream.empty))
  },
  "waits for longer than it may (DOS-06)": {
    violates: ["CLIENT-44"],
    client: withSettings({ upstreamTimeoutMillis: 2000 })
  },
  "names the target in its errors (ERR-03)": {
    violates: ["CLIENT-45"],
    client: changed((send) => (request) =>
      Effect.mapError(send(request), () => new UpstreamUnavailable({ detail: `cannot reach ${request.target}` }))
    )
  },
  "sends a request again that the upstream could not handle": {
    violates: ["CLIENT-10"],
    client: changed((send) => (request) =>
      Effect.flatMap(send(request), (response) => response.status === 503 ? send(request) : Effect.succeed(response))
    )
  },
  "hands back errors without their bodies": {
    violates: ["CLIENT-10"],
    client: withResponse((response) =>
      Effect.succeed(response.status === 404 ? { ...response, body: { _tag: "Empty" } } : response)
    )
  },
  "makes up a content type": {
    violates: ["CLIENT-10"],
    client: withResponse((response) =>
      Effect.succeed({ ...response, headers: { "content-type": "application/octet-stream", ...response.headers } })
    )
  },
  "waits for the first byte of a stream before it gives the head": {
    violates: ["CLIENT-23"],
    client: changed((send) => (request) =>
      Effect.gen(function*() {
        const response = yield* send(request)
        if (response.body._tag !== "Stream") return response
        const [first, rest] = yield* Effect.orDie(Stream.peel(response.body.stream, Sink.take(1)))
        return { ...response, body: { _tag: "Stream", stream: Stream.concat(Stream.fromIterable(first), rest) } }
      })
    )
  },
  "has ten connections for everything, streams too": {
    violates: ["CLIENT-24"],
    client: changed((send) => {
      const places = Semaphore.makeUnsafe(10)
      return (request) =>
        places.take(1).pipe(Effect.andThen(Effect.addFinalizer(() => places.release(1))), Effect.andThen(send(request)))
    })
  },
  "writes the fields of a request into its span": {
    violates: ["CLIENT-45"],
    client: changed((send) => (request) => Effect.withSpan(send(request), "send", { attributes: request.headers }))
  },
  "drops fields without a value": {
    violates: ["CLIENT-03"],
    client: changed((send) => (request) =>
      send({
        ...request,
        headers: Object.fromEntries(Object.entries(request.headers).filter(([, value]) => value !== ""))
      })
    )
  },
  "sends no more of a body than fits into a buffer": {
    violates: ["CLIENT-06"],
    client: changed((send) => (request) => send({ ...request, body: request.body?.subarray(0, 65_536) }))
  },
  "asks for codings that its caller has not asked for": {
    violates: ["CLIENT-05"],
    client: changed((send) => (request) =>
      send({ ...request, headers: { "accept-encoding": "gzip", ...request.headers } })
    )
  }
}
