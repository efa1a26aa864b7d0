/** Responses of the program's own to rejected requests, by their typed errors, in every embedded server. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import {
  Authentication,
  CurrentIdentity,
  GatewayConfig,
  type GatewayConfigInput,
  layerVerifier,
  makeFetchMiddleware,
  type OnError
} from "mcp-authorizer"
import { makeNodeMiddleware } from "mcp-authorizer/middleware/NodeMiddleware"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { serveRoutes } from "../support/serve.ts"

const logger = Logger.layer([])

const settings: GatewayConfigInput = {
  static_tokens: "weak:c:alice:;strong:c:alice:notes:read",
  public_url: "https://notes.example.com",
  required_scopes: "notes:read"
}

const onError: OnError = (error, response) =>
  error._tag === "InsufficientScope"
    ? { ...response, body: { error: "insufficient_scope", ask: "security@example.com", scopes: error.required } }
    : response

type Send = (token: string) => Effect.Effect<Response>

const servers: Readonly<Record<string, Effect.Effect<Send, never, Scope.Scope>>> = {
  "a web handler": Effect.gen(function*() {
    const { dispose, protect } = makeFetchMiddleware(settings, { logger, onError })
    yield* Effect.addFinalizer(() => Effect.promise(dispose))
    const handle = protect(() => new Response("hello"))
    return (token) =>
      Effect.promise(() =>
        handle(new Request("https://notes.example.com/mcp", { headers: { authorization: `Bearer ${token}` } }))
      )
  }),
  "a Node middleware": Effect.gen(function*() {
    const { dispose, protect } = makeNodeMiddleware(settings, { logger, onError })
    yield* Effect.addFinalizer(() => Effect.promise(dispose))
    const { origin } = yield* listen((request, response) =>
      Effect.sync(() => protect(request, response, () => void response.end("hello")))
    )
    return (token) => Effect.promise(() => fetch(`${origin}/mcp`, { headers: { authorization: `Bearer ${token}` } }))
  }),
  "an Effect server": Effect.gen(function*() {
    const origin = yield* Effect.orDie(serveRoutes(
      HttpRouter.add("*", "/mcp", Effect.as(CurrentIdentity, HttpServerResponse.text("hello"))).pipe(
        Layer.provide(Authentication.layerWith({ onError })),
        Layer.provide(layerVerifier),
        Layer.provide(GatewayConfig.layer(settings)),
        Layer.orDie
      )
    ))
    return (token) => Effect.promise(() => fetch(`${origin}/mcp`, { headers: { authorization: `Bearer ${token}` } }))
  })
}

describe("onError of embedded servers", () => {
  for (const [name, start] of Object.entries(servers)) {
    it.live(`changes the response to one error, and keeps its status and challenge (${name})`, () =>
      Effect.gen(function*() {
        const send = yield* start
        const weak = yield* send("weak")
        assert.strictEqual(weak.status, 403)
        assert.include(weak.headers.get("www-authenticate") ?? "", "insufficient_scope")
        assert.deepStrictEqual(yield* Effect.promise(() => weak.json()), {
          error: "insufficient_scope",
          ask: "security@example.com",
          scopes: ["notes:read"]
        })
        const unknown = yield* send("unknown")
        assert.strictEqual(unknown.status, 401)
        assert.notInclude(yield* Effect.promise(() => unknown.text()), "security@example.com")
        const strong = yield* send("strong")
        assert.strictEqual(yield* Effect.promise(() => strong.text()), "hello")
      }))
  }
})
