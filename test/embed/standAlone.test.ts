import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import {
  GatewayClient,
  GatewayConfig,
  HttpGatewayClient,
  InvalidConfiguration,
  InvalidToken,
  makeFetchMiddleware,
  TokenVerifier
} from "mcp-authorizer"
import * as NodeGatewayClient from "../../src/node/NodeGatewayClient.ts"
import { problemsOf } from "../config/resolving.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"

const key = "a-key-of-this-program"

const unknownKey = new InvalidToken({ reason: "UnknownToken", provider: "keys", detail: "another key" })

/** A verifier that knows one key, and needs nothing. */
const ownKeys = Layer.succeed(TokenVerifier, {
  verify: (token) =>
    Redacted.value(token) === key
      ? Effect.succeed({
        provider: "keys",
        issuer: "keys",
        subject: "owner",
        clientId: undefined,
        email: undefined,
        name: undefined,
        scopes: [],
        expiresAt: undefined,
        claims: {}
      })
      : Effect.fail(unknownKey)
})

const statusOf = (options: Parameters<typeof makeFetchMiddleware>[1], token: string) =>
  Effect.promise(async () => {
    const { dispose, protect } = makeFetchMiddleware({ providers: [], public_url: "https://notes.example.com" }, {
      ...options,
      logger: Logger.layer([])
    })
    const handle = protect((_request, { subject }) => new Response(subject))
    const headers = { authorization: `Bearer ${token}` }
    const { status } = await handle(new Request("https://notes.example.com/mcp", { headers }))
    await dispose()
    return status
  })

const get = { method: "GET", target: "/mcp", headers: {}, body: undefined }

/** A client that responds with the URL's host. */
const echoHost = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make((request, url) => Effect.succeed(HttpClientResponse.fromWeb(request, new Response(url.hostname))))
)

const textOf = ({ send }: GatewayClient["Service"]) =>
  Effect.flatMap(
    send(get),
    ({ body }) => body._tag === "Stream" ? Stream.mkString(Stream.decodeText(body.stream)) : Effect.succeed(body._tag)
  )

describe("a verifier that stands alone", () => {
  it.effect("lets its own callers in, without a provider in the settings", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* statusOf({ verifier: ownKeys }, key), 200)
      assert.strictEqual(yield* statusOf({ verifier: ownKeys }, "another-key"), 401)
    }))

  it.effect("is the only one: the configured verifier accepts no token without a provider", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* statusOf({}, key), 401)
    }))

  it.effect("has to be meant: without a word about providers, and in variables and files, none is a mistake", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(GatewayConfig.layer({}))))
      assert.match(error.message, /No authentication providers configured/)
      assert.throws(() => makeFetchMiddleware({}, { verifier: ownKeys }), /No authentication providers configured/)
      for (const problems of [problemsOf({ MCP_PROVIDERS: "[]" }), problemsOf({}, { providers: [] })]) {
        assert.deepStrictEqual(problems.map(({ problem }) => problem), ["No authentication providers configured"])
      }
    }))
})

describe("a client of one MCP server", () => {
  it.effect("needs no configuration of a gateway, so that there can be several", () =>
    Effect.gen(function*() {
      const one = yield* HttpGatewayClient.make({ server_url: "http://notes.internal/mcp" })
      const other = yield* HttpGatewayClient.make({ server_url: "http://wiki.internal/mcp", upstream_timeout: 5 })
      assert.deepStrictEqual([yield* textOf(one), yield* textOf(other)], ["notes.internal", "wiki.internal"])
      const third = HttpGatewayClient.layerWith({ server_url: "http://third.internal/mcp" })
      assert.strictEqual(yield* Effect.provide(Effect.flatMap(GatewayClient, textOf), third), "third.internal")
    }).pipe(Effect.provide(echoHost), Effect.scoped))

  it.effect("fails with all problems, in the words of the settings", () =>
    Effect.gen(function*() {
      const input = { server_url: "notes.internal", upstream_timeout: 0 }
      for (const made of [HttpGatewayClient.make(input), Effect.scoped(NodeGatewayClient.make(input))]) {
        const error = yield* Effect.flip(made)
        assert.instanceOf(error, InvalidConfiguration)
        assert.deepStrictEqual(error.problems.map(({ setting }) => setting), ["MCP_SERVER_URL", "MCP_UPSTREAM_TIMEOUT"])
      }
    }).pipe(Effect.provide(echoHost)))

  it("is told where its server is, and nothing that it does not use", () => {
    const compiles = [
      () => HttpGatewayClient.make({ server_url: "http://notes.internal/mcp", max_waiting: 10 }),
      // @ts-expect-error no server
      () => HttpGatewayClient.make({ max_waiting: 10 }),
      // @ts-expect-error a setting of the gateway that no client uses
      () => HttpGatewayClient.make({ server_url: "http://notes.internal/mcp", path: "/mcp" })
    ]
    assert.strictEqual(compiles.length, 3)
  })

  it.live("works over sockets on Node", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const { send } = yield* NodeGatewayClient.make({ server_url: `${upstream.origin}/mcp` })
      const { status } = yield* send({
        ...get,
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
        body: new TextEncoder().encode(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
      })
      assert.strictEqual(status, 200)
    }).pipe(Effect.scoped))
})
