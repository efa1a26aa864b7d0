/** The caller in an embedder's handlers, verifiers and clients, and how these reject requests. */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import {
  AccessDenied,
  Authentication,
  GatewayClient,
  GatewayConfig,
  HttpApp,
  layerGateway,
  layerVerifier,
  layerVerifierWith,
  type ProviderMetadata,
  type ProviderRegistry,
  TokenVerifier,
  type UpstreamRequest
} from "mcp-authorizer"
import { TestIssuer } from "mcp-authorizer/testing"
import { serveRoutes } from "../support/serve.ts"

const configOf = (issuer: TestIssuer["Service"]) =>
  GatewayConfig.layer({
    jwt_issuer: issuer.issuer,
    jwt_jwks_uri: issuer.jwksUri,
    jwt_audience: issuer.audience,
    gateway_url: "http://127.0.0.1:9/mcp"
  })

const barEve = TokenVerifier.layerMapIdentity((identity) =>
  identity.subject === "eve"
    ? Effect.fail(new AccessDenied({ reason: "Policy", detail: "eve is barred" }))
    : Effect.succeed(identity)
).pipe(Layer.provide(TokenVerifier.layer))

describe("a handler behind Authentication.layer", () => {
  it.live("EMBED-01 MUST have the caller and the trace id, but no subject, on its log entries and spans", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const entries: Array<Readonly<Record<string, unknown>>> = []
      const spans: Array<Tracer.NativeSpan> = []
      const logger = Logger.make(({ fiber, message }) => {
        if (String(message) === "called") entries.push(fiber.getRef(References.CurrentLogAnnotations))
      })
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const handler = Effect.log("called").pipe(
        Effect.withSpan("handler"),
        Effect.provide([Logger.layer([logger]), Layer.succeed(Tracer.Tracer, tracer)]),
        Effect.as(HttpServerResponse.text("ok"))
      )
      const origin = yield* serveRoutes(
        HttpRouter.add("GET", "/", handler).pipe(
          Layer.provide(Authentication.layer),
          Layer.provide(layerVerifier),
          Layer.provide(configOf(issuer))
        )
      )
      const headers = {
        authorization: `Bearer ${yield* issuer.sign({ claims: { sub: "ada" } })}`,
        "x-trace-id": "trace-1"
      }
      assert.strictEqual((yield* Effect.promise(() => fetch(origin, { headers }))).status, 200)
      const entry = entries[0] ?? assert.fail("no entry")
      assert.strictEqual(entry["trace_id"], "trace-1")
      assert.match(String(entry["subject"]), /^[0-9a-f]{16}$/)
      assert.isString(entry["provider"])
      const attributes = Object.fromEntries(spans.find(({ name }) => name === "handler")?.attributes ?? [])
      assert.deepStrictEqual(
        [attributes["trace_id"], attributes["subject"], attributes["provider"]],
        ["trace-1", entry["subject"], entry["provider"]]
      )
      assert.notInclude(JSON.stringify([entries, attributes]), "ada")
    }))
})

describe("an embedder's own verifier", () => {
  it.live("EMBED-05 MUST be able to reject a caller with 403, and its reason is in no response", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const origin = yield* serveRoutes(
        HttpRouter.add("GET", "/", HttpServerResponse.text("ok")).pipe(
          Layer.provide(Authentication.layer),
          Layer.provide(layerVerifierWith(barEve)),
          Layer.provide(configOf(issuer))
        )
      )
      const call = (subject: string) =>
        Effect.flatMap(
          issuer.sign({ claims: { sub: subject } }),
          (token) => Effect.promise(() => fetch(origin, { headers: { authorization: `Bearer ${token}` } }))
        )
      assert.strictEqual((yield* call("ada")).status, 200)
      const barred = yield* call("eve")
      assert.strictEqual(barred.status, 403)
      assert.include(barred.headers.get("www-authenticate"), `error="access_denied"`)
      assert.deepStrictEqual(
        yield* Effect.promise(() => barred.json()),
        {
          error: "access_denied",
          error_description: "Access denied"
        }
      )
    }))

  it("EMBED-05 gets nothing but the verifier, the providers and their metadata", () => {
    expectTypeOf<Layer.Success<typeof layerVerifier>>().toEqualTypeOf<
      TokenVerifier | ProviderRegistry | ProviderMetadata
    >()
  })
})

describe("HttpApp.toWebHandler with a tracer", () => {
  it.live("CRED-08 MUST record no token that a client wrote into the query", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const urls: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          const attribute = span.attribute.bind(span)
          span.attribute = (name, value) => {
            if (name === "url.full" && span.kind === "server") urls.push(String(value))
            attribute(name, value)
          }
          return span
        }
      })
      const { dispose, handler } = HttpApp.toWebHandler(
        layerGateway.pipe(
          Layer.provide(configOf(issuer)),
          Layer.provideMerge(Layer.succeed(Tracer.Tracer, tracer))
        )
      )
      const call = (query: string) =>
        Effect.promise(() => handler(new Request(`http://localhost/mcp?${query}`, { headers: { host: "localhost" } })))
      assert.strictEqual((yield* call("access_token=secret")).status, 400)
      assert.strictEqual((yield* call("page=1")).status, 401)
      assert.deepStrictEqual(urls, ["http://localhost/mcp?page=1"])
      yield* Effect.promise(dispose)
    }))
})

describe("an embedder's own GatewayClient", () => {
  it.live("EMBED-06 MUST be told who calls", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const sent: Array<UpstreamRequest> = []
      const client = Layer.succeed(GatewayClient, {
        send: (request: UpstreamRequest) =>
          Effect.sync(() => {
            sent.push(request)
            return { status: 200, headers: {}, body: { _tag: "Empty" as const } }
          })
      })
      const { dispose, handler } = HttpApp.toWebHandler(HttpApp.layer.pipe(
        Layer.provide([client, layerVerifier]),
        Layer.provide(configOf(issuer))
      ))
      const authorization = `Bearer ${yield* issuer.sign({ claims: { sub: "ada" } })}`
      const response = yield* Effect.promise(() =>
        handler(new Request("http://localhost/mcp", { headers: { authorization, host: "localhost" } }))
      )
      assert.strictEqual(response.status, 200)
      assert.strictEqual(sent[0]?.identity?.subject, "ada")
      yield* Effect.promise(dispose)
    }))
})
