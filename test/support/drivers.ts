/** The drivers of the course that run in this process, and their results for an exchange. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { createServer } from "node:http"
import { type Dispatcher, request } from "undici"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { Guard } from "../../src/embed/Guard.ts"
import { layerVerifierWith } from "../../src/embed/layers.ts"
import { serveAdmitted } from "../../src/embed/serveAdmitted.ts"
import {
  AccessDenied,
  InvalidToken,
  ProviderUnavailable,
  UpstreamTimeout,
  UpstreamUnavailable
} from "../../src/errors/GatewayError.ts"
import { GatewayClient, type UpstreamRequest, type UpstreamResponse } from "../../src/forward/GatewayClient.ts"
import { HttpApp, type HttpAppOptions } from "../../src/http/HttpApp.ts"
import { relay } from "../../src/http/relay.ts"
import { CurrentIdentity } from "../../src/identity/CurrentIdentity.ts"
import * as NodeGateway from "../../src/node/NodeGateway.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import {
  initialized,
  type PlayedExchange,
  type PlayedResponse,
  rejected,
  responseNames,
  responses,
  sentBy
} from "../fixtures/exchanges.ts"
import { staticProvider, staticToken } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { LogCapture } from "./canary.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

type Behaviour = (request: UpstreamRequest) => ReturnType<GatewayClient["Service"]["send"]>

const bodyOf = (body: PlayedResponse["body"]): UpstreamResponse["body"] => {
  if (body === undefined) return { _tag: "Empty" }
  return typeof body === "string"
    ? { _tag: "Bytes", bytes: bytes(body) }
    : { _tag: "Stream", stream: Stream.fromIterable(body.map(bytes)) }
}

const gives = ({ body, headers, status }: PlayedResponse): Behaviour => () =>
  Effect.sync(() => ({ status, headers, body: bodyOf(body) }))

const json = { "content-type": "application/json" }

/** Accepts `initialize` only if the gateway has not changed it. */
const strict: Behaviour = (request) =>
  new TextDecoder().decode(request.body).includes("_authContext")
    ? gives({ status: 400, headers: json, body: rejected })(request)
    : gives({ status: 200, headers: json, body: initialized })(request)

/** Behaviours of the MCP server, or of the connection to it, other than a response. */
const disturbances = {
  odd: gives({ status: 666, headers: json, body: "{}" }),
  strict,
  late: () => Effect.fail(new UpstreamTimeout({ millis: 1 })),
  down: () => Effect.fail(new UpstreamUnavailable({ detail: "down" })),
  fault: () => Effect.die(new Error("a defect")),
  breaks: () =>
    Effect.succeed({
      status: 200,
      headers: json,
      body: {
        _tag: "Stream",
        stream: Stream.concat(
          Stream.make(bytes(initialized.slice(0, 20))),
          Stream.fail(new UpstreamUnavailable({ detail: "broke off" }))
        )
      }
    })
} satisfies Record<string, Behaviour>

const behaviours: ReadonlyMap<string, Behaviour> = new Map<string, Behaviour>([
  ...responseNames.map((name) => [name, gives(responses[name])] as const),
  ...Object.entries(disturbances)
])

/** Everything that the MCP server may do, by name. */
export const behaviourNames: ReadonlyArray<string> = [...behaviours.keys()]

/** The result of an exchange on a driver, without parts that vary between runs. */
export interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  readonly sent: ReadonlyArray<Omit<UpstreamRequest, "body"> & { readonly body: string }>
  readonly log: ReadonlyArray<Readonly<Record<string, unknown>>>
}

const overHop = new Set(["connection", "content-length", "date", "keep-alive", "transfer-encoding"])

const logged = (entries: ReadonlyArray<string>): Seen["log"] =>
  entries.flatMap((entry) => {
    const { annotations, level, message } = JSON.parse(entry.split("\n", 1)[0] ?? "")
    // The place of a fault varies.
    return message === "request" || message === "internal fault" || level === "WARN"
      ? [{ message, level, ...annotations, at: undefined, duration_ms: undefined }]
      : []
  })

/** A running driver. */
export interface Driver {
  readonly origin: string
  readonly log: LogCapture["Service"]
  readonly sent: Array<UpstreamRequest>
}

/** The client of a driver. It behaves as the request demands, and has no callback form. */
const clientOf = (sent: Array<UpstreamRequest>) =>
  Layer.succeed(GatewayClient, {
    send: (request) =>
      Effect.suspend(() => {
        sent.push(request)
        return behaviours.get(request.headers["x-upstream"] ?? "")?.(request) ?? Effect.die("no behaviour")
      })
  })

const tokens = staticProvider([
  staticToken("dev-token", { scopes: ["read", "write"], email: "dev@example.com" }),
  staticToken("weak-token", { scopes: ["write"] }),
  staticToken("late-token", { scopes: ["read"], expiresAt: 1 })
])

/** Settings of a gateway whose callers need the scope `read`. */
export const configWith = (overrides: Partial<GatewaySettings>) =>
  Layer.succeed(
    GatewayConfig,
    settings("http://127.0.0.1:9/mcp", {
      allowedOrigins: { _tag: "Loopback" },
      bindSessions: true,
      sessionKeys: [Redacted.make("a-key-of-sufficient-length-for-tests")],
      injectRequestContext: "auto",
      injectResponseContext: "auto",
      requiredScopes: ["read"],
      providers: [tokens],
      ...overrides
    })
  )

export type Config = ReturnType<typeof configWith>

const verdicts = {
  odd_down: Effect.fail(new ProviderUnavailable({ provider: "odd", detail: "down", retryAfter: 3 })),
  odd_barred: Effect.fail(new AccessDenied({ reason: "Policy", detail: "barred" })),
  odd_fault: Effect.die(new Error("a defect"))
}

/** The configured verification, with tokens for the remaining outcomes of a verification. */
const verifier = TokenVerifier.layerPrefix("odd_", (token) => {
  const text = Redacted.value(token)
  return text in verdicts
    ? verdicts[text as keyof typeof verdicts]
    : Effect.fail(new InvalidToken({ reason: "UnknownToken", provider: "odd", detail: "unknown" }))
}).pipe(Layer.provide(TokenVerifier.layer))

const verification = layerVerifierWith(verifier)

const loopback = NodeHttpServer.layerServer(() => createServer(), { host: "127.0.0.1", port: 0 })

type Starting<E> = (client: Layer.Layer<GatewayClient>) => Layer.Layer<HttpServer.HttpServer, E, GatewayConfig>

/** Starts a driver. */
export const start = Effect.fnUntraced(function*<E>(make: Starting<E>, config: Config = configWith({})) {
  const sent: Array<UpstreamRequest> = []
  const context = yield* Layer.build(
    make(clientOf(sent)).pipe(Layer.provide(config), Layer.provideMerge(LogCapture.layer))
  )
  const origin = NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address)
  return { origin, sent, log: Context.get(context, LogCapture) } satisfies Driver
})

/** A server on Effect's HTTP server, which runs `HttpApp` as an effect. */
export const effects = (config: Config, options: HttpAppOptions) =>
  start((client) =>
    Layer.unwrap(Effect.map(HttpApp, ({ handle }) => HttpServer.serve(handle))).pipe(
      Layer.provide(HttpApp.layerWith(options)),
      Layer.provide([verification, client]),
      Layer.provideMerge(loopback)
    ), config)

/** The Node service. */
export const callbacks = (config: Config, options: HttpAppOptions) =>
  start((client) => NodeGateway.layerUnannounced(verifier, { ...options, gatewayClient: client }), config)

/** Sends the request that a handler got to the MCP server, like an embedded server that calls another one. */
const handler = Effect.gen(function*() {
  const client = yield* GatewayClient
  const caller = yield* Effect.serviceOption(CurrentIdentity)
  const { arrayBuffer, headers, method, url } = yield* HttpServerRequest.HttpServerRequest
  const body = new Uint8Array(yield* Effect.orDie(arrayBuffer))
  const { body: received, ...head } = yield* client.send({
    method,
    target: url,
    headers,
    body: body.length === 0 ? undefined : body,
    identity: Option.getOrUndefined(caller)
  })
  return relay(head, received)
})

/**
 * A server on Effect's HTTP server with the guard in front of a handler. The host routes the MCP path and the documents
 * to it.
 */
export const guarded = (config: Config, options: HttpAppOptions) =>
  start((client) =>
    Layer.unwrap(Effect.gen(function*() {
      const guard = yield* Guard
      const { path } = yield* GatewayConfig
      const handle = Effect.gen(function*() {
        const result = yield* guard.admit(yield* HttpServerRequest.HttpServerRequest)
        return result._tag === "Responded" ? result.response : yield* serveAdmitted(result, handler)
      })
      const [first, ...others] = [`/${path.slice(1)}` as const, ...guard.documents]
        .map((place) => HttpRouter.add("*", place, handle))
      return HttpRouter.serve(others.reduce((all, one) => Layer.merge(all, one), first ?? Layer.empty))
    })).pipe(
      Layer.provide(Guard.layerWith(options)),
      Layer.provide([verification, client]),
      Layer.provideMerge(loopback)
    ), config)

/** Runs an exchange on a driver. */
export const play = Effect.fnUntraced(function*(
  { log, origin, sent }: Driver,
  exchange: PlayedExchange
): Effect.fn.Return<Seen> {
  sent.length = 0
  yield* log.clear
  const { body, fields } = sentBy(exchange)
  const response = yield* Effect.promise(async () => {
    try {
      const { body: received, headers, statusCode } = await request(`${origin}${exchange.target}`, {
        method: exchange.method as Dispatcher.HttpMethod,
        headers: ["host", "gateway.example", "x-upstream", exchange.upstream, ...fields.flat()],
        body: body ?? null
      })
      return { body: await received.text(), headers, status: statusCode }
    } catch {
      // How much of a response arrives before the connection is closed varies.
      return { body: "(broken off)", headers: {}, status: 0 }
    }
  })
  return {
    ...response,
    headers: Object.fromEntries(Object.entries(response.headers).filter(([name]) => !overHop.has(name))),
    sent: sent.map((request) => ({ ...request, owner: undefined, body: new TextDecoder().decode(request.body) })),
    log: logged(log.entries())
  }
})

/**
 * Waits for the log entry of the exchange. It is written after the response, possibly after the last byte has arrived.
 */
export const playLogged = Effect.fnUntraced(function*(driver: Driver, exchange: PlayedExchange) {
  const seen = yield* play(driver, exchange)
  while (!driver.log.entries().some((entry) => entry.includes(`"request"`))) {
    yield* Effect.promise(() => new Promise(setImmediate))
  }
  return { ...seen, log: logged(driver.log.entries()) } satisfies Seen
})
