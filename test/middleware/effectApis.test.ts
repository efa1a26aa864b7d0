/** Effect's HttpApi and RPC with the gateway's authentication, seen by their own clients. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as OpenApi from "effect/http-api/OpenApi"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import { type GatewayConfigInput, InsufficientScope, SessionNotFound } from "mcp-authorizer"
import { TestIssuer } from "mcp-authorizer/testing"
import { WebSocket } from "undici"
import { type AuthError, authErrorOf, CannotVerify, Forbidden, Unauthorized } from "../../src/middleware/AuthErrors.ts"
import * as api from "../examples/effectHttpApi.ts"
import * as rpc from "../examples/effectRpc.ts"
import { serveRoutes } from "../support/serve.ts"

const settingsOf = (issuer: TestIssuer["Service"], more: GatewayConfigInput = {}): GatewayConfigInput => ({
  jwt_issuer: issuer.issuer,
  jwt_jwks_uri: issuer.jwksUri,
  jwt_audience: "notes",
  public_url: "https://notes.example.com",
  ...more
})

/** Node 20 has no global one. Only the types of the two classes differ. */
const webSockets = Layer.succeed(
  Socket.WebSocketConstructor,
  (url: string) => new WebSocket(url) as unknown as globalThis.WebSocket
)

const startApi = Effect.fnUntraced(function*(more: GatewayConfigInput = {}) {
  const issuer = yield* TestIssuer.make({ audience: "notes" })
  const origin = yield* serveRoutes(
    api.makeRoutes(settingsOf(issuer, more)).pipe(Layer.provide(NodeHttpServer.layerHttpServices))
  )
  const clientWith = (authorization: string | undefined) =>
    HttpApiClient.make(api.Notes, {
      baseUrl: origin,
      transformClient: HttpClient.mapRequest((request) =>
        authorization === undefined ? request : HttpClientRequest.setHeader(request, "authorization", authorization)
      )
    }).pipe(Effect.provide(FetchHttpClient.layer))
  return { issuer, origin, clientWith }
})

const startRpc = Effect.fnUntraced(function*(protocol: "http" | "websocket", more: GatewayConfigInput = {}) {
  const issuer = yield* TestIssuer.make({ audience: "notes" })
  const origin = yield* serveRoutes(rpc.makeRoutes(settingsOf(issuer, more), protocol))
  const transport = protocol === "http"
    ? RpcClient.layerProtocolHttp({ url: `${origin}/rpc` }).pipe(Layer.provide(FetchHttpClient.layer))
    : RpcClient.layerProtocolSocket().pipe(
      Layer.provide(Socket.layerWebSocket(`${origin.replace("http", "ws")}/rpc`)),
      Layer.provide(webSockets)
    )
  const services = yield* Layer.build(transport.pipe(Layer.provide(RpcSerialization.layerNdjson)))
  const client = yield* Effect.provideContext(RpcClient.make(rpc.Notes), services)
  return { issuer, client }
})

describe("HttpApiAuthentication", () => {
  it.live("EMBED-41 gives endpoints the caller, and clients typed errors", () =>
    Effect.gen(function*() {
      const { clientWith, issuer } = yield* startApi({ required_scopes: "notes:read" })
      const token = (claims: Readonly<Record<string, unknown>>) =>
        Effect.map(issuer.sign({ claims }), (token) => `Bearer ${token}`)
      const alice = yield* clientWith(yield* token({ sub: "alice", client_id: "c1", scope: "notes:read" }))
      assert.strictEqual(yield* alice.me.whoami(), "alice through c1")
      assert.strictEqual(yield* alice.me.take({ payload: "alice" }), "alice")
      assert.strictEqual((yield* Effect.flip(alice.me.take({ payload: "bob" })))._tag, "NotYours")
      const stranger = yield* clientWith(undefined)
      assert.strictEqual(yield* stranger.public.hello(), "not protected")
      const unknown = yield* Effect.flip(stranger.me.whoami())
      assert.instanceOf(unknown, Unauthorized)
      assert.deepInclude(unknown, { _tag: "Unauthorized", error: "unauthorized" })
      const wrong = yield* clientWith("Bearer junk")
      assert.deepInclude(yield* Effect.flip(wrong.me.whoami()), { _tag: "Unauthorized", error: "invalid_token" })
      const unscoped = yield* clientWith(yield* token({}))
      assert.deepInclude(yield* Effect.flip(unscoped.me.whoami()), {
        _tag: "Forbidden",
        error: "insufficient_scope",
        scopes: ["notes:read"]
      })
    }))

  it.live("EMBED-42 challenges as the gateway does, and serves the documents", () =>
    Effect.gen(function*() {
      const { issuer, origin } = yield* startApi()
      const rejected = yield* Effect.promise(() => fetch(`${origin}/whoami`))
      assert.strictEqual(rejected.status, 401)
      const challenge = rejected.headers.get("www-authenticate") ?? ""
      const place = /resource_metadata="https:\/\/notes\.example\.com([^"]+)"/.exec(challenge)?.[1]
      assert.isString(place)
      const document = yield* Effect.promise(async () => (await fetch(`${origin}${place}`)).json())
      assert.deepInclude(document, { authorization_servers: [issuer.issuer] })
      const { components, paths } = OpenApi.fromApi(api.Notes)
      assert.deepInclude(components.securitySchemes["bearer"], { type: "http", scheme: "Bearer" })
      assert.containsAllKeys(paths["/whoami"]?.get?.responses, ["200", "401", "403", "500"])
    }))

  it.live("EMBED-43 says CannotVerify while the provider is down", () =>
    Effect.gen(function*() {
      const { clientWith, issuer } = yield* startApi({ jwt_jwks_uri: "http://127.0.0.1:9/jwks" })
      const client = yield* clientWith(`Bearer ${yield* issuer.sign()}`)
      const error = yield* Effect.flip(client.me.whoami())
      assert.instanceOf(error, CannotVerify)
    }))
})

describe("RpcAuthentication", () => {
  for (const protocol of ["http", "websocket"] as const) {
    it.live(`EMBED-44 gives handlers the caller of each call, and clients typed errors (${protocol})`, () =>
      Effect.gen(function*() {
        const { client, issuer } = yield* startRpc(protocol, { required_scopes: "notes:read" })
        const as = (claims: Readonly<Record<string, unknown>>) =>
          Effect.map(issuer.sign({ claims }), (token) => RpcClient.withHeaders({ authorization: `Bearer ${token}` }))
        const alice = yield* as({ sub: "alice", scope: "notes:read" })
        const bob = yield* as({ sub: "bob", scope: "notes:read" })
        const both = yield* Effect.all([alice(client.whoami()), bob(client.whoami())], { concurrency: 2 })
        assert.deepStrictEqual(both, ["alice", "bob"])
        assert.strictEqual(yield* client.hello(), "not protected")
        const counted = yield* alice(Stream.runCollect(client.count({ to: 2 })))
        assert.deepStrictEqual(Array.from(counted), ["1 for alice", "2 for alice"])
        assert.deepInclude(yield* Effect.flip(client.whoami()), { _tag: "Unauthorized", error: "unauthorized" })
        const junk = yield* Effect.flip(RpcClient.withHeaders(client.whoami(), { authorization: "Bearer junk" }))
        assert.deepInclude(junk, { _tag: "Unauthorized", error: "invalid_token" })
        const unscoped = yield* as({})
        assert.deepInclude(yield* Effect.flip(unscoped(client.whoami())), {
          _tag: "Forbidden",
          error: "insufficient_scope",
          scopes: ["notes:read"]
        })
      }))
  }
})

describe("authErrorOf", () => {
  it("gives errors about callers, and leaves others to the gateway's own responses", () => {
    const scoped: AuthError | undefined = authErrorOf(new InsufficientScope({ required: ["a"] }))
    assert.instanceOf(scoped, Forbidden)
    assert.deepInclude(scoped, { error: "insufficient_scope", scopes: ["a"] })
    assert.isUndefined(authErrorOf(new SessionNotFound({ detail: "another caller's" })))
  })
})
