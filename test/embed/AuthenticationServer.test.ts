import { assert, expectTypeOf, layer } from "@effect/vitest"
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpServer from "effect/ai/McpServer"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import {
  Authentication,
  CurrentIdentity,
  GatewayConfig,
  layerVerifier,
  requireToolScopes,
  type ScopesChecked
} from "mcp-authorizer"
import { TestIssuer } from "mcp-authorizer/testing"
import { Authenticated, RequestScopedServer, Server, unprotected, Verification } from "../examples/effectServer.ts"
import {
  type ClientFailed,
  connectV1,
  connectV2,
  type OfficialClient,
  type OfficialClientOptions
} from "../support/OfficialClients.ts"
import { serveRoutes } from "../support/serve.ts"

/** The example on a real port, with an issuer of its own. */
class Example extends Context.Service<Example, {
  readonly issuer: TestIssuer["Service"]
  readonly origin: string
  readonly url: string
  readonly token: (subject: string, ...scopes: ReadonlyArray<string>) => Effect.Effect<string>
}>()("mcp-authorizer/test/embed/AuthenticationServer.test/Example") {
  static readonly layer = Layer.effect(
    Example,
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const origin = yield* serveRoutes(
        Server.pipe(
          Layer.provide(Verification),
          Layer.provide(variables(issuer))
        )
      )
      return {
        issuer,
        origin,
        url: `${origin}/mcp`,
        token: (subject, ...scopes) => issuer.sign({ claims: { sub: subject, scope: scopes.join(" ") } })
      }
    })
  )
}

/** The remaining requirements of a layer that uses the caller without a layer that provides it: it cannot be served. */
type NeedsCaller<L extends Layer.Any> = Extract<Layer.Services<L>, HttpRouter.Request<"Requires", CurrentIdentity>>

const variables = (issuer: TestIssuer["Service"]) =>
  ConfigProvider.layer(ConfigProvider.fromUnknown({
    MCP_JWT_ISSUER: issuer.issuer,
    MCP_JWT_JWKS_URI: issuer.jwksUri,
    MCP_JWT_AUDIENCE: String(issuer.audience)
  }))

/** The example's server at another path, for callers with tokens of this issuer. */
const serverAt = (path: `/${string}`, issuer: TestIssuer["Service"]) =>
  McpServer.layerHttp({ ...unprotected, path }).pipe(
    Layer.provide(Authenticated),
    Layer.provide(layerVerifier),
    Layer.provide(GatewayConfig.layer({
      path,
      jwt_issuer: issuer.issuer,
      jwt_jwks_uri: issuer.jwksUri,
      jwt_audience: issuer.audience
    }))
  )

const bearer = (token: string): OfficialClientOptions => ({ headers: { authorization: `Bearer ${token}` } })

const clients: ReadonlyArray<
  readonly [
    string,
    (url: string, options: OfficialClientOptions) => Effect.Effect<OfficialClient, ClientFailed, Scope.Scope>
  ]
> = [
  ["1.x", connectV1],
  ["2.x legacy", (url, options) => connectV2(url, "legacy", options)],
  ["2.x", (url, options) => connectV2(url, "auto", options)]
]

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1.0.0" } }
}

const call = (name: string) => ({ jsonrpc: "2.0", id: 2, method: "tools/call", params: { name, arguments: {} } })

/** Sends one message with plain `fetch`. */
const post = (url: string, token: string | undefined, body: unknown, headers: Record<string, string> = {}) =>
  Effect.promise(() =>
    fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers
      },
      body: JSON.stringify(body)
    })
  )

/** A session of the 2025 era, as its client knows it. */
const openSession = Effect.fnUntraced(function*(url: string, token: string) {
  const response = yield* post(url, token, initialize)
  assert.strictEqual(response.status, 200)
  const headers = {
    "mcp-session-id": response.headers.get("mcp-session-id") ?? assert.fail("no session"),
    "mcp-protocol-version": "2025-11-25"
  }
  yield* post(url, token, { jsonrpc: "2.0", method: "notifications/initialized" }, headers)
  return headers
})

layer(Example.layer, { excludeTestServices: true })("Authentication.layer around an Effect MCP server", (it) => {
  for (const [name, connect] of clients) {
    it.effect(`EMBED-01 a client ${name} reaches tools, resources and prompts that know the caller`, () =>
      Effect.gen(function*() {
        const { token, url } = yield* Example
        const alice = yield* connect(url, bearer(yield* token(`alice ${name}`, "notes:read")))
        const bob = yield* connect(url, bearer(yield* token(`bob ${name}`)))
        assert.deepStrictEqual(JSON.parse(yield* alice.call("whoami")), {
          subject: `alice ${name}`,
          scopes: ["notes:read"]
        })
        assert.deepStrictEqual(JSON.parse(yield* alice.call("add_note", { text: "milk" })), { count: 1 })
        assert.deepStrictEqual(JSON.parse(yield* bob.call("add_note", { text: "nails" })), { count: 1 })
        assert.strictEqual(yield* alice.read("notes://mine"), "milk")
        assert.strictEqual(yield* bob.read("notes://mine"), "nails")
        assert.strictEqual(yield* alice.prompt("greeting"), `Greet alice ${name} kindly.`)
      }))

    it.effect(`EMBED-02 a client ${name} sees and calls a tool only with its scopes`, () =>
      Effect.gen(function*() {
        const { token, url } = yield* Example
        const reader = yield* connect(url, bearer(yield* token(`reader ${name}`)))
        assert.sameMembers([...yield* reader.tools], ["whoami", "add_note"])
        const owner = yield* connect(url, bearer(yield* token(`owner ${name}`, "notes:delete")))
        assert.sameMembers([...yield* owner.tools], ["whoami", "add_note", "delete_notes"])
        yield* owner.call("add_note", { text: "old" })
        assert.deepStrictEqual(JSON.parse(yield* owner.call("delete_notes")), { deleted: 1 })
      }))
  }

  it.effect("EMBED-02 MUST respond 403 to a call without the tool's scopes, naming them, and run nothing", () =>
    Effect.gen(function*() {
      const { origin, token, url } = yield* Example
      const mine = yield* token("step-up")
      const session = yield* openSession(url, mine)
      yield* post(url, mine, call("add_note"), session)
      for (const body of [call("delete_notes"), [call("whoami"), call("delete_notes")]]) {
        const rejected = yield* post(url, mine, body, session)
        assert.strictEqual(rejected.status, 403)
        assert.strictEqual(
          rejected.headers.get("www-authenticate"),
          "Bearer error=\"insufficient_scope\", error_description=\"Token missing required scopes\", "
            + `scope="notes:delete", resource_metadata="${origin}/.well-known/oauth-protected-resource"`
        )
        assert.deepStrictEqual(yield* Effect.promise(() => rejected.json()), {
          error: "insufficient_scope",
          error_description: "Token missing required scopes"
        })
      }
      const allowed = yield* post(url, yield* token("step-up", "notes:delete"), call("delete_notes"), session)
      assert.strictEqual(allowed.status, 200)
    }))

  it.effect("EMBED-03 MUST challenge without a good token, and publish the document that the challenge names", () =>
    Effect.gen(function*() {
      const { issuer, origin, token, url } = yield* Example
      const rejections = [undefined, "garbage", yield* issuer.sign({ expiresIn: "-1 hour" })]
      for (const bad of rejections) {
        const rejected = yield* post(url, bad, initialize)
        assert.strictEqual(rejected.status, 401)
        assert.include(rejected.headers.get("www-authenticate"), "resource_metadata=")
        assert.strictEqual(rejected.headers.get("access-control-allow-origin"), "*")
      }
      const document = yield* Effect.promise(async () =>
        (await fetch(`${origin}/.well-known/oauth-protected-resource`)).json()
      )
      assert.deepInclude(document, { resource: url, authorization_servers: [issuer.issuer] })
      const inserted = yield* Effect.promise(() => fetch(`${origin}/.well-known/oauth-protected-resource/mcp`))
      assert.deepStrictEqual(yield* Effect.promise(() => inserted.json()), document)
      const other = yield* Effect.promise(() => fetch(`${origin}/.well-known/oauth-protected-resource/other`))
      assert.deepStrictEqual([other.status, (yield* Effect.promise(() => other.json())).error], [404, "not_found"])
      assert.strictEqual((yield* post(url, yield* token("control"), initialize)).status, 200)
    }))

  it("EMBED-03 MUST NOT compile without the layer where a handler asks for the caller", () => {
    const handler = HttpRouter.add(
      "GET",
      "/me",
      Effect.map(CurrentIdentity, (me) => HttpServerResponse.text(me.subject))
    )
    expectTypeOf<NeedsCaller<typeof handler>>().toEqualTypeOf<HttpRouter.Request<"Requires", CurrentIdentity>>()
    const withLayer = Layer.provide(handler, Authentication.layer)
    expectTypeOf<NeedsCaller<typeof withLayer>>().toBeNever()
    const tools = McpServer.layerHttp(unprotected)
    expectTypeOf<NeedsCaller<typeof tools>>().not.toBeNever()
    expectTypeOf<NeedsCaller<typeof Server>>().toBeNever()
  })

  it("EMBED-08 MUST NOT compile where a tool's scopes are not checked", () => {
    const scoped = Toolkit.make(requireToolScopes(Tool.make("delete"), ["admin"]))
    const tools = McpServer.layerHttp({
      ...unprotected,
      registrations: McpServer.toolkit(scoped).pipe(Layer.provide(scoped.toLayer({ delete: () => Effect.void })))
    })
    const unchecked = Layer.provide(tools, Authentication.layer)
    type Unchecked<L extends Layer.Any> = Extract<
      Layer.Services<L>,
      HttpRouter.Request<"Requires", ScopesChecked<"delete">>
    >
    expectTypeOf<Unchecked<typeof unchecked>>().not.toBeNever()
    const checked = Layer.provide(tools, Authentication.layerToolkit(scoped))
    expectTypeOf<Unchecked<typeof checked>>().toBeNever()
    const other = Toolkit.make(requireToolScopes(Tool.make("rename"), ["admin"]), Tool.make("list"))
    const elsewhere = Layer.provide(tools, Authentication.layerToolkit(other))
    expectTypeOf<Unchecked<typeof elsewhere>>().not.toBeNever()
    const namesake = Layer.provide(tools, Authentication.layerToolkit(Toolkit.make(Tool.make("delete"))))
    expectTypeOf<Unchecked<typeof namesake>>().not.toBeNever()
    const both = Layer.provide(tools, Authentication.layerToolkit(other, scoped))
    expectTypeOf<Unchecked<typeof both>>().toBeNever()
    expectTypeOf(Authentication.layerToolkit).parameter(0).not.toBeUndefined()
  })

  it.effect("ISO-02 MUST keep two servers of one program apart: issuers, paths and documents", () =>
    Effect.gen(function*() {
      const one = yield* TestIssuer.make()
      const two = yield* TestIssuer.make()
      const origin = yield* serveRoutes(Layer.mergeAll(serverAt("/one", one), serverAt("/two", two)))
      const status = (issuer: TestIssuer["Service"], path: string) =>
        Effect.flatMap(
          issuer.sign(),
          (token) => Effect.map(post(origin + path, token, initialize), ({ status }) => status)
        )
      assert.deepStrictEqual(
        yield* Effect.all([status(one, "/one"), status(two, "/two"), status(one, "/two"), status(two, "/one")]),
        [200, 200, 401, 401]
      )
      for (const [issuer, path] of [[one, "/one"], [two, "/two"]] as const) {
        const document = yield* Effect.promise(async () =>
          (await fetch(`${origin}/.well-known/oauth-protected-resource${path}`)).json()
        )
        assert.deepInclude(document, { resource: origin + path, authorization_servers: [issuer.issuer] })
      }
    }))

  it.effect("EMBED-04 MUST respond 500 while the provider is down, never 401", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      yield* issuer.misbehave("/oauth2/jwks", { _tag: "Respond", status: 503 }, Infinity)
      const origin = yield* serveRoutes(
        Server.pipe(
          Layer.provide(Verification),
          Layer.provide(variables(issuer))
        )
      )
      const response = yield* post(`${origin}/mcp`, yield* issuer.sign(), initialize)
      assert.strictEqual(response.status, 500)
      assert.isNotNull(response.headers.get("retry-after"))
    }))

  it.effect("EMBED-05 MUST serve preflights, and give every response CORS fields and a trace id", () =>
    Effect.gen(function*() {
      const { origin, token, url } = yield* Example
      const preflight = yield* Effect.promise(() => fetch(url, { method: "OPTIONS", headers: { origin } }))
      assert.strictEqual(preflight.status, 204)
      assert.strictEqual(preflight.headers.get("access-control-allow-origin"), origin)
      const good = yield* token("browser")
      const responses = [
        yield* post(url, good, initialize, { origin }),
        yield* post(url, good, "no message", { origin }),
        yield* post(url, undefined, initialize, { origin })
      ]
      assert.deepStrictEqual(responses.map(({ status }) => status), [200, 400, 401])
      for (const { headers } of responses) {
        assert.strictEqual(headers.get("access-control-allow-origin"), origin)
        assert.isNotNull(headers.get("x-trace-id"))
      }
      assert.strictEqual((yield* post(url, good, initialize, { origin: "https://evil.example" })).status, 403)
    }))

  it.effect("MCP-07 MUST NOT let another caller use or end a session", () =>
    Effect.gen(function*() {
      const { token, url } = yield* Example
      const victim = yield* token("victim")
      const session = yield* openSession(url, victim)
      const thief = yield* token("thief")
      assert.strictEqual((yield* post(url, thief, call("whoami"), session)).status, 404)
      const end = (bearer: string) =>
        Effect.promise(() =>
          fetch(url, { method: "DELETE", headers: { ...session, authorization: `Bearer ${bearer}` } })
        )
      assert.strictEqual((yield* end(thief)).status, 404)
      assert.strictEqual((yield* post(url, victim, call("whoami"), session)).status, 200)
      // Positive control: a new token of the same caller.
      const refreshed = yield* token("victim", "notes:delete")
      assert.strictEqual((yield* post(url, refreshed, call("whoami"), session)).status, 200)
      for (const [name, value] of Object.entries(session)) {
        if (name !== "mcp-session-id") continue
        for (
          const forged of [
            value.slice(44),
            `${value.startsWith("A") ? "B" : "A"}${value.slice(1)}`,
            `${value}x`,
            "invented",
            `${value}, ${value}`
          ]
        ) {
          const response = yield* post(url, victim, call("whoami"), { ...session, [name]: forged })
          assert.strictEqual(response.status, 404, forged)
        }
      }
      assert.strictEqual((yield* end(refreshed)).status, 204)
      assert.strictEqual((yield* post(url, victim, call("whoami"), session)).status, 404)
    }))

  for (
    const adapter of [
      McpProtocol.v2025_11_25,
      McpProtocol.v2025_06_18,
      McpProtocol.v2025_03_26,
      McpProtocol.v2024_11_05
    ]
  ) {
    it.effect(`EMBED-07 protects a server of revision ${adapter.protocolVersion}`, () =>
      Effect.gen(function*() {
        const { issuer, token } = yield* Example
        const origin = yield* serveRoutes(
          McpServer.layerHttp({ ...unprotected, protocols: [adapter] }).pipe(
            Layer.provide(Authenticated),
            Layer.provide(Verification),
            Layer.provide(variables(issuer))
          )
        )
        const url = `${origin}/mcp`
        const mine = yield* token(adapter.protocolVersion)
        const params = { ...initialize.params, protocolVersion: adapter.protocolVersion }
        assert.strictEqual((yield* post(url, undefined, { ...initialize, params })).status, 401)
        const opened = yield* post(url, mine, { ...initialize, params })
        assert.strictEqual(opened.status, 200)
        const session: Record<string, string> = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "" }
        if (adapter.protocolVersion >= "2025-06-18") session["mcp-protocol-version"] = adapter.protocolVersion
        yield* post(url, mine, { jsonrpc: "2.0", method: "notifications/initialized" }, session)
        const response = yield* post(url, mine, call("whoami"), session)
        assert.include(yield* Effect.promise(() => response.text()), adapter.protocolVersion)
      }))
  }

  it.effect("EMBED-06 runs request by request as a web handler", () =>
    Effect.gen(function*() {
      const { issuer, token } = yield* Example
      const { handler } = yield* Effect.acquireRelease(
        Effect.sync(() =>
          HttpRouter.toWebHandler(
            RequestScopedServer.pipe(Layer.provide(Verification), Layer.provide(variables(issuer))),
            { disableLogger: true }
          )
        ),
        ({ dispose }) => Effect.promise(dispose)
      )
      const meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1.0.0" },
        "io.modelcontextprotocol/clientCapabilities": {}
      }
      const request = (authorization: Record<string, string>) =>
        Effect.promise(() =>
          handler(
            new Request("https://notes.example.com/mcp", {
              method: "POST",
              headers: {
                "content-type": "application/json",
                accept: "application/json, text/event-stream",
                "mcp-protocol-version": "2026-07-28",
                "mcp-method": "tools/call",
                "mcp-name": "whoami",
                ...authorization
              },
              body: JSON.stringify({
                jsonrpc: "2.0",
                id: 1,
                method: "tools/call",
                params: { name: "whoami", arguments: {}, _meta: meta }
              })
            })
          )
        )
      const rejected = yield* request({})
      assert.strictEqual(rejected.status, 401)
      assert.include(
        rejected.headers.get("www-authenticate"),
        "resource_metadata=\"https://notes.example.com/.well-known/oauth-protected-resource\""
      )
      const response = yield* request({ authorization: `Bearer ${yield* token("edge", "a")}` })
      assert.strictEqual(response.status, 200)
      assert.include(yield* Effect.promise(() => response.text()), "edge")
    }))
})
