/** The spans of the gateway: what a program sees that provides a `Tracer`. */
import { assert, describe, it } from "@effect/vitest"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Tracer from "effect/Tracer"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import * as HttpGatewayClient from "../../src/forward/HttpGatewayClient.ts"
import { HttpApp } from "../../src/http/HttpApp.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { everything, failureTexts } from "../../src/testing/records.ts"
import { layerProviders } from "../../src/verify/layers.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"

const mcp = "http://mcp.test/mcp"

const settings = GatewayConfig.layer({
  server_url: mcp,
  public_url: "https://gateway.test",
  providers: [{
    type: "introspection",
    name: "idp",
    issuer: "https://issuer.test",
    introspection_endpoint: "https://issuer.test/oauth2/introspection",
    audience: ["https://mcp.example/mcp"],
    client_id: "test-client",
    client_secret: "test-secret"
  }]
})

/** A gateway with its provider in memory, and an MCP server that reports the span of each request as `upstream`. */
const makeGateway = Effect.gen(function*() {
  const { client, issuer } = yield* TestIssuer.makeMemory()
  const parents: Array<string | undefined> = []
  const http = HttpClient.make((request, url) =>
    url.origin === "http://mcp.test"
      ? Effect.map(Effect.option(Effect.currentParentSpan), (span) => {
        parents.push(Option.getOrUndefined(Option.map(span, (span) => span._tag === "Span" ? span.name : "external")))
        return HttpClientResponse.fromWeb(request, Response.json({ jsonrpc: "2.0", id: 1, result: {} }))
      })
      // The client of the issuer has a span of its own.
      : Effect.provideService(client.execute(request), HttpClient.TracerDisabledWhen, () => true)
  )
  const app = HttpApp.layer.pipe(
    Layer.provide([Layer.provideMerge(TokenVerifier.layer, layerProviders), HttpGatewayClient.layer]),
    Layer.provide([KeyValueStore.layerMemory, Digest.layerWebCrypto, Layer.succeed(HttpClient.HttpClient, http)]),
    Layer.provide(settings)
  )
  const { handle } = yield* Effect.map(Layer.build(app), (context) => HttpApp.pipe(Effect.provide(context))).pipe(
    Effect.flatten
  )
  const call = (token: string) =>
    handle.pipe(
      Effect.provideService(
        HttpServerRequest.HttpServerRequest,
        HttpServerRequest.fromWeb(
          new Request("https://gateway.test/mcp", {
            method: "POST",
            headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
            body: "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
          })
        )
      ),
      Effect.scoped,
      Effect.map(({ status }) => status)
    )
  return { call, issuer, parents }
})

const collect = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const pathOf = (span: Tracer.AnySpan): string =>
    span._tag === "Span"
      ? [...Option.toArray(Option.map(span.parent, pathOf)), span.name].join(" > ")
      : "external"
  return {
    tracer,
    spans,
    /** The path of each span from the root, in the order in which the spans began. */
    take: () => spans.splice(0).map(pathOf)
  }
}

describe("The gateway's spans", () => {
  it.effect("show verification, the request to the provider, and forwarding, below the span of the request", () =>
    Effect.gen(function*() {
      const { call, issuer } = yield* makeGateway
      const { spans, take, tracer } = collect()
      const token = yield* issuer.issueOpaque()
      const status = yield* call(token).pipe(
        Effect.withSpan("request"),
        Effect.provideService(Tracer.Tracer, tracer)
      )
      assert.strictEqual(status, 200)
      const attributes = spans.filter(({ name }) => name.startsWith("mcp-authorizer.")).map((span) =>
        Object.fromEntries(span.attributes)
      )
      assert.deepStrictEqual(attributes, [
        { "mcp_authorizer.provider": "idp" },
        { "mcp_authorizer.provider": "idp" },
        {
          "http.request.method": "POST",
          "url.full": "https://issuer.test/oauth2/introspection",
          "server.address": "issuer.test",
          "server.port": 443
        },
        {
          "http.request.method": "POST",
          "server.address": "mcp.test",
          "server.port": 80,
          "http.response.status_code": 200
        }
      ])
      const texts = everything(
        spans.map((span) => [span.name, [...span.attributes], span.events])
      )
      for (const secret of [token, "user-1", "test-secret"]) assert.notInclude(texts, secret)
      assert.deepStrictEqual(take(), [
        "request",
        "request > ping",
        "request > ping > mcp-authorizer.verify",
        "request > ping > mcp-authorizer.verify > mcp-authorizer.introspection",
        "request > ping > mcp-authorizer.verify > mcp-authorizer.introspection > mcp-authorizer.provider.request",
        "request > ping > mcp-authorizer.forward"
      ])
    }))

  it.effect("show no verification for a token whose verdict is cached", () =>
    Effect.gen(function*() {
      const { call, issuer } = yield* makeGateway
      const { take, tracer } = collect()
      const token = yield* issuer.issueOpaque()
      const traced = Effect.provideService(Tracer.Tracer, tracer)
      yield* traced(call(token))
      assert.include(take(), "ping > mcp-authorizer.verify")
      yield* traced(call(token))
      assert.deepStrictEqual(take(), ["ping", "ping > mcp-authorizer.forward"])
    }))

  it.effect("fail with the reason of a rejection or an outage, without the token", () =>
    Effect.gen(function*() {
      const { call, issuer } = yield* makeGateway
      const { spans, tracer } = collect()
      const failureOf = (name: string): string => {
        const status = spans.find((span) => span.name === name)?.status
        assert.strictEqual(status?._tag, "Ended")
        return status?._tag === "Ended" && status.exit._tag === "Failure" ? failureTexts(status.exit.cause).join() : ""
      }
      const traced = Effect.provideService(Tracer.Tracer, tracer)
      assert.strictEqual(yield* traced(call("invented-token-c4n4ry")), 401)
      assert.include(failureOf("mcp-authorizer.verify"), "Inactive")
      assert.notInclude(failureOf("mcp-authorizer.verify"), "c4n4ry")

      spans.splice(0)
      yield* issuer.misbehave("/oauth2/introspection", Misbehaviour.Respond({ status: 503 }), Infinity)
      assert.strictEqual(yield* traced(call("another-token-c4n4ry")), 500)
      assert.include(failureOf("mcp-authorizer.provider.request"), "503")
      assert.include(failureOf("mcp-authorizer.verify"), "ProviderUnavailable")
      assert.notInclude(failureOf("mcp-authorizer.verify"), "c4n4ry")
    }))

  it.effect("are not created without a tracer", () =>
    Effect.gen(function*() {
      const { call, issuer, parents } = yield* makeGateway
      const { tracer } = collect()
      const token = yield* issuer.issueOpaque()
      assert.strictEqual(yield* call(token), 200)
      yield* Effect.provideService(call(token), Tracer.Tracer, tracer)
      assert.deepStrictEqual(parents, [undefined, "mcp-authorizer.forward"])
    }))
})
