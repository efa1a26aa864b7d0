import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import { GatewayClient, type UpstreamRequest } from "../../src/forward/GatewayClient.ts"
import * as HttpGatewayClient from "../../src/forward/HttpGatewayClient.ts"
import { settings } from "../fixtures/settings.ts"

type Answer = (
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

const answered = (response: () => Response): Answer => (request) =>
  Effect.sync(() => HttpClientResponse.fromWeb(request, response()))

const broken = (cause: unknown): Answer => (request) =>
  Effect.fail(new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) }))

const coded = (code: string) => Object.assign(new Error("secret"), { code })

const get: UpstreamRequest = { method: "GET", target: "/mcp", headers: {}, body: undefined }

const config = (gatewayUrl = "http://mcp.test/mcp") => Layer.succeed(GatewayConfig, settings(gatewayUrl))

/** Sends a request through the client whose platform answers in this way. */
const send = (answer: Answer, request = get, gatewayUrl?: string) =>
  Effect.flatMap(GatewayClient, (client) => client.send(request)).pipe(
    Effect.provide(
      HttpGatewayClient.layer.pipe(
        Layer.provide([Layer.succeed(HttpClient.HttpClient, HttpClient.make(answer)), config(gatewayUrl)])
      )
    )
  )

const gzip = { "content-encoding": "gzip", "content-length": "20" }

describe("HttpGatewayClient, on platforms that are not at hand", () => {
  it.effect("HTTP-19 a redirect that the platform hides MUST NOT be handed on as an answer", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(send(answered(() => Response.error())))
      assert.deepInclude(error, { _tag: "UpstreamUnavailable", detail: "the MCP server redirects" })
    }))

  it.effect("HTTP-19 fetch MUST be told not to follow redirects", () =>
    Effect.gen(function*() {
      const seen: Array<RequestInit["redirect"]> = []
      const fetch: typeof globalThis.fetch = (_, init) => {
        seen.push(init?.redirect)
        return Promise.resolve(new Response("{}"))
      }
      yield* Effect.flatMap(GatewayClient, (client) => client.send(get)).pipe(
        Effect.provide(
          HttpGatewayClient.layerFetch.pipe(Layer.provide([Layer.succeed(FetchHttpClient.Fetch, fetch), config()]))
        )
      )
      assert.deepStrictEqual(seen, ["manual"])
    }))

  it.effect("HTTP-18 an answer MUST be asked for as it is, and refused where it may have been decoded", () =>
    Effect.gen(function*() {
      const asked: Array<string | undefined> = []
      const decoded: Answer = (request) => {
        asked.push(request.headers["accept-encoding"])
        return answered(() => new Response("decoded", { headers: gzip }))(request)
      }
      const error = yield* Effect.flip(send(decoded, { ...get, headers: { "accept-encoding": "gzip" } }))
      assert.strictEqual(error._tag, "UpstreamUnavailable")
      assert.deepStrictEqual(asked, ["identity"])
    }))

  it.effect("HTTP-18 positive control: the fields of an answer without a body describe another", () =>
    Effect.gen(function*() {
      const bodiless = answered(() => new Response(null, { headers: gzip }))
      const response = yield* send(bodiless, { ...get, method: "HEAD" })
      assert.deepInclude(response, { status: 200, headers: gzip, body: { _tag: "Empty" } })
      const plain = yield* send(answered(() => new Response("{}", { headers: { "content-encoding": "identity" } })))
      assert.strictEqual(plain.status, 200)
    }))

  it.effect("a body of no bytes MUST be one, where the platform has none at all", () =>
    Effect.gen(function*() {
      const { body } = yield* send(answered(() => new Response(null)))
      assert.strictEqual(body._tag, "Stream")
      assert.deepStrictEqual(body._tag === "Stream" ? yield* Stream.runCollect(body.stream) : undefined, [])
    }))

  it.effect("the platform's own limits MUST show as UpstreamTimeout, and its other troubles as UpstreamUnavailable", () =>
    Effect.gen(function*() {
      for (const code of ["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "ETIMEDOUT"]) {
        for (const cause of [coded(code), new TypeError("fetch failed", { cause: coded(code) })]) {
          assert.deepInclude(yield* Effect.flip(send(broken(cause))), { _tag: "UpstreamTimeout", millis: 5000 })
        }
      }
      for (const [cause, what] of [[coded("ECONNREFUSED"), "ECONNREFUSED"], ["secret", "TransportError"]]) {
        const detail = `the MCP server cannot be reached or broke off (${String(what)})`
        assert.deepInclude(yield* Effect.flip(send(broken(cause))), { _tag: "UpstreamUnavailable", detail })
      }
    }))

  it.effect("an error MUST carry as its cause where the platform's client failed and by which code, and no text of it", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(send(broken(coded("ECONNREFUSED"))))
      assert.strictEqual(error._tag, "UpstreamUnavailable")
      if (!(error.cause instanceof Error)) return assert.fail("there is no cause")
      assert.deepInclude(error.cause.cause, { message: "ECONNREFUSED" })
      assert.include(error.cause.stack, "    at ")
      assert.notInclude(inspect(error, { depth: Infinity, showHidden: true }), "secret")
    }))

  it.effect("MCP_UPSTREAM_TIMEOUT MUST be kept to the millisecond", () =>
    Effect.gen(function*() {
      const sending = yield* Effect.forkChild(Effect.flip(send(() => Effect.never)))
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(sending.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepInclude(yield* Fiber.join(sending), { _tag: "UpstreamTimeout", millis: 5000 })
    }))

  it.effect("a Unix socket MUST be refused when the client is built, with the setting that is to be changed", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        send(answered(() => new Response("{}")), get, "http+unix://%2Frun%2Fmcp.sock/mcp")
      )
      assert.strictEqual(error._tag, "InvalidConfiguration")
      assert.include(error.message, "MCP_SERVER_URL")
    }))
})
