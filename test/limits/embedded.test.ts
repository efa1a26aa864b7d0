/** Rate limits in servers that embed the gateway, and in front of several servers. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redis from "effect/persistence/Redis"
import * as Result from "effect/Result"
import {
  GatewayConfig,
  HttpApp,
  InvalidConfiguration,
  layerGateway,
  layerRedisLimits,
  makeFetchMiddleware
} from "mcp-authorizer"
import { resolveSources } from "../../src/config/resolve.ts"
import { makeRedis } from "../../src/node/store/redis.ts"
import { message, ping, toolCall } from "../fixtures/messages.ts"
import { startGateway } from "../support/gateway.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { startRedis } from "../support/RedisServer.ts"
import { respond } from "../support/upstreamResponses.ts"

const tokens = "token-a:one:alice:;token-b:two:bob:"

const request = (body: string, token = "token-a") =>
  new Request("https://notes.example.com/mcp", {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body
  })

/** A gateway in front of servers at `/<name>/mcp`, and the status of a call there. */
const startServers = Effect.fnUntraced(function*(
  rateLimits: unknown,
  servers: Readonly<Record<string, unknown>>
) {
  const upstream = yield* makeRecordingUpstream
  yield* upstream.respondWith(respond({ headers: { "content-type": "application/json" }, body: "{}" }))
  const resolved = resolveSources({
    variables: {},
    document: {
      static_tokens: tokens,
      port: 0,
      bind_sessions: false,
      ...(rateLimits === undefined ? {} : { rate_limits: rateLimits }),
      servers: Object.entries(servers).map(([name, own]) => ({
        name,
        path: `/${name}/mcp`,
        url: `${upstream.origin}/${name}`,
        rate_limits: own
      }))
    }
  })
  const { origin } = yield* startGateway(Result.getOrThrow(resolved))
  return (name: string, token = "token-a") =>
    Effect.map(
      rawExchange(
        origin,
        rawRequest([
          `POST /${name}/mcp HTTP/1.1`,
          "Host: 127.0.0.1",
          `Authorization: Bearer ${token}`,
          "Content-Type: application/json",
          `Content-Length: ${ping.length}`
        ], ping)
      ),
      ({ responses: [response] }) => response?.status
    )
})

const perHour = (by: ReadonlyArray<string>, limit: number, more = {}) => ({ by, limit, window: 3600, ...more })

layer(Layer.empty, { excludeTestServices: true, timeout: "60 seconds" })("rate limits", (it) => {
  it.effect("LIMIT-06 MUST hold in an embedded server, whose handler gets the whole message", () =>
    Effect.gen(function*() {
      const middleware = yield* Effect.acquireRelease(
        Effect.sync(() =>
          makeFetchMiddleware({
            static_tokens: tokens,
            public_url: "https://notes.example.com",
            rate_limits: [
              { by: ["subject"], limit: 3, window: 3600 },
              { by: ["subject", "tool"], limit: 1, window: 3600, tools: ["delete"] }
            ]
          }, { logger: Logger.layer([]) })
        ),
        ({ dispose }) => Effect.promise(dispose)
      )
      const handle = middleware.protect(async (request) => new Response(await request.text()))
      const send = (body: string, token?: string) => Effect.promise(() => handle(request(body, token)))
      const first = yield* send(toolCall("delete"))
      assert.deepStrictEqual([first.status, yield* Effect.promise(() => first.text())], [200, toolCall("delete")])
      const second = yield* send(toolCall("delete"))
      assert.strictEqual(second.status, 429)
      assert.isTrue(Number(second.headers.get("retry-after")) > 3_500)
      assert.strictEqual((yield* send(`[${ping},${message("ping", undefined, "2")}]`)).status, 200)
      assert.strictEqual((yield* send(ping)).status, 429)
      assert.strictEqual((yield* send(ping, "token-b")).status, 200)
    }))

  it.effect("LIMIT-06 MUST count the messages for all servers together, or for each where server is counted by", () =>
    Effect.gen(function*() {
      const together = yield* startServers([perHour(["subject"], 3)], { notes: undefined, files: undefined })
      const statuses = [yield* together("notes"), yield* together("files"), yield* together("notes")]
      assert.deepStrictEqual(statuses, [200, 200, 200])
      assert.deepStrictEqual([yield* together("files"), yield* together("files", "token-b")], [429, 200])
      const apart = yield* startServers([perHour(["subject", "server"], 1)], { notes: undefined, files: undefined })
      assert.deepStrictEqual([yield* apart("notes"), yield* apart("files")], [200, 200])
      assert.deepStrictEqual([yield* apart("notes"), yield* apart("files")], [429, 429])
    }))

  it.effect("LIMIT-06 MUST count for the servers that a limit names, and for one that has its own", () =>
    Effect.gen(function*() {
      const status = yield* startServers([perHour(["subject"], 1, { servers: ["not*"] })], {
        notes: undefined,
        files: undefined,
        mail: [perHour(["subject"], 2)],
        post: [perHour(["subject"], 2)]
      })
      assert.deepStrictEqual([yield* status("notes"), yield* status("notes")], [200, 429])
      assert.deepStrictEqual([yield* status("files"), yield* status("files")], [200, 200])
      for (const name of ["mail", "post"]) {
        assert.deepStrictEqual([yield* status(name), yield* status(name), yield* status(name)], [200, 200, 429], name)
      }
    }))

  it.effect("LIMIT-08 MUST count in a Redis service that the program provides", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const service = yield* makeRedis({ storeUrl: redis.url, storePassword: undefined }, undefined)
      const config = GatewayConfig.layer({
        static_tokens: tokens,
        server_url: "http://127.0.0.1:9/mcp",
        rate_limits: [{ by: ["subject"], limit: 1, window: 3600 }],
        store_failure: "closed",
        store_timeout_millis: 5_000
      })
      const limits = layerRedisLimits.pipe(Layer.provide(Layer.succeed(Redis.Redis, service)), Layer.provide(config))
      const app = () => layerGateway.pipe(Layer.provide(limits), Layer.provide(config), Layer.provide(Logger.layer([])))
      const handlers = yield* Effect.forEach([app(), app()], (app) =>
        Effect.acquireRelease(
          Effect.sync(() => HttpApp.toWebHandler(app)),
          ({ dispose }) => Effect.promise(dispose)
        ))
      const statuses = yield* Effect.forEach(handlers, ({ handler }) =>
        Effect.map(Effect.promise(() => handler(request(ping))), ({ status }) => status))
      // Nothing listens where the MCP server should be.
      assert.deepStrictEqual(statuses, [502, 429])
    }))

  it.effect("LIMIT-11 MUST NOT start where MCP_STORE_URL cannot be used", () =>
    Effect.gen(function*() {
      const { dispose, handler } = HttpApp.toWebHandler(layerGateway.pipe(
        Layer.provide(GatewayConfig.layer({
          static_tokens: tokens,
          server_url: "http://127.0.0.1:9/mcp",
          store_url: "redis://127.0.0.1"
        }))
      ))
      const failure = yield* Effect.promise(() => handler(request(ping)).catch((error: unknown) => error))
      assert.instanceOf(failure, InvalidConfiguration)
      assert.match(String(failure), /MCP_STORE_URL/)
      yield* Effect.promise(dispose)
    }))
})
