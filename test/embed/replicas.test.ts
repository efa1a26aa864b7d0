/** Replicas of an embedded server: with one session key they know each other's sessions, without one they do not. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import {
  Authentication,
  GatewayConfig,
  type GatewayConfigInput,
  layerVerifier,
  makeFetchMiddleware
} from "mcp-authorizer"
import { makeNodeMiddleware } from "mcp-authorizer/middleware/NodeMiddleware"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { initialize, ping } from "../fixtures/messages.ts"
import { serveRoutes } from "../support/serve.ts"

const logger = Logger.layer([])
const key = "0123456789abcdef0123456789abcdef-first"
const nextKey = "0123456789abcdef0123456789abcdef-next"

const settings = (sessionKey: string | undefined): GatewayConfigInput => ({
  static_tokens: "alice:c1:alice:;bob:c2:bob:",
  public_url: "https://notes.example.com",
  ...(sessionKey === undefined ? {} : { session_key: sessionKey })
})

type Send = (token: string, body: string, session?: string) => Effect.Effect<Response>

const requestOf = (token: string, body: string, session: string | undefined): RequestInit => ({
  method: "POST",
  headers: {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    ...(session === undefined ? {} : { "mcp-session-id": session })
  },
  body
})

/** Each kind of embedded server, which begins the session `s1` and returns the session of each request. */
const servers: Readonly<Record<string, (key: string | undefined) => Effect.Effect<Send, never, Scope.Scope>>> = {
  "a web handler": (key) =>
    Effect.gen(function*() {
      const { dispose, protect } = makeFetchMiddleware(settings(key), { logger })
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const handle = protect(({ headers }) =>
        new Response(headers.get("mcp-session-id"), { headers: { "mcp-session-id": "s1" } })
      )
      return (token, body, session) =>
        Effect.promise(() => handle(new Request("https://notes.example.com/mcp", requestOf(token, body, session))))
    }),
  "a Node middleware": (key) =>
    Effect.gen(function*() {
      const { dispose, protect } = makeNodeMiddleware(settings(key), { logger })
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const { origin } = yield* listen((request, response) =>
        Effect.sync(() =>
          protect(request, response, () => {
            response.setHeader("mcp-session-id", "s1")
            response.end(request.headers["mcp-session-id"])
          })
        )
      )
      return (token, body, session) => Effect.promise(() => fetch(`${origin}/mcp`, requestOf(token, body, session)))
    }),
  "an Effect server with MCP_SESSION_KEY": (key) =>
    Effect.gen(function*() {
      const variables = ConfigProvider.fromUnknown({
        MCP_STATIC_TOKENS: "alice:c1:alice:;bob:c2:bob:",
        MCP_PUBLIC_URL: "https://notes.example.com",
        ...(key === undefined ? {} : { MCP_SESSION_KEY: key })
      })
      const origin = yield* Effect.orDie(serveRoutes(
        HttpRouter.add(
          "*",
          "/mcp",
          Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) =>
            HttpServerResponse.text(headers["mcp-session-id"] ?? "", { headers: { "mcp-session-id": "s1" } }))
        ).pipe(
          Layer.provide(Authentication.layer),
          Layer.provide(layerVerifier),
          Layer.provide(GatewayConfig.layerFromConfig),
          Layer.provide(ConfigProvider.layer(variables)),
          Layer.orDie
        )
      ))
      return (token, body, session) =>
        Effect.promise(() =>
          fetch(`${origin}/mcp`, requestOf(token, body, session))
        )
    })
}

describe("replicas of embedded servers", () => {
  for (const [name, start] of Object.entries(servers)) {
    it.live(`EMBED-19 know each other's sessions by the session key, also while it is rotated (${name})`, () =>
      Effect.gen(function*() {
        const first = yield* start(key)
        const second = yield* start(key)
        const rotated = yield* start(`${nextKey},${key}`)
        const foreign = yield* start(undefined)
        const begun = yield* first("alice", initialize)
        assert.strictEqual(begun.status, 200)
        const session = begun.headers.get("mcp-session-id") ?? ""
        assert.match(session, /\.s1$/)
        for (const replica of [first, second, rotated]) {
          const response = yield* replica("alice", ping, session)
          assert.strictEqual(yield* Effect.promise(() => response.text()), "s1")
          assert.strictEqual((yield* replica("bob", ping, session)).status, 404)
        }
        assert.strictEqual((yield* foreign("alice", ping, session)).status, 404)
      }))
  }
})
