import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { assertRejected } from "../support/assertRejected.ts"
import { textOf } from "../support/GatewayFixture.ts"
import { bearer, challengeOf, curl, documentOf, initialize, SetUp, startReplacement, toolsList } from "./predecessor.ts"

const jwks = "/oauth2/jwks"

/** The complete example of the document, a loopback issuer playing AuthKit. */
const Authorizer = SetUp.layer({
  audience: "mcp-api",
  subject: "user123",
  claims: { email: "user@example.com" }
}, (authKit, mcpGateway) => ({
  auth_enabled: "true",
  auth_gateway_url: mcpGateway,
  auth_provider_type: "authkit",
  auth_provider_issuer: authKit.issuer,
  auth_provider_audience: "mcp-api"
}))

layer(Authorizer, { excludeTestServices: true })("FTL MCP Authorizer", (it) => {
  it.effect("FTL MCP Authorizer \"Test unauthenticated (returns 401)\": \"Response includes OAuth discovery\"", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      const response = yield* curl(system)
      assert.strictEqual(response.status, 401)
      assert.strictEqual(
        challengeOf(response),
        [
          `Bearer error="unauthorized"`,
          `error_description="Missing authorization header"`,
          `resource_metadata="http://localhost:3000/.well-known/oauth-protected-resource"`
        ].join(", ")
      )
    }))

  it.effect("FTL MCP Authorizer \"Test with JWT token\"", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      yield* system.reset
      const response = yield* curl(system, { method: "POST", authorization: bearer(system.token), body: toolsList })
      assert.strictEqual(response.status, 200)
      assert.strictEqual(JSON.parse(response.text).result.tools[0].name, "echo")
      const [request] = system.upstream.requests()
      assert.strictEqual(request && (yield* textOf(request)), toolsList, "only initialize is given a context")
    }))

  it.effect("FTL MCP Authorizer \"Injects user info into MCP initialize requests\": _authContext as printed", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      const request = yield* system.forwarded({ body: initialize })
      const sent = JSON.parse(initialize)
      assert.deepStrictEqual(JSON.parse(yield* textOf(request)), {
        ...sent,
        params: {
          ...sent.params,
          _authContext: { authenticated_user: "user123", email: "user@example.com", provider: "authkit" }
        }
      })
    }))

  it.effect("FTL MCP Authorizer \"Automatic user context injection\": never the client's own word", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      const claimed = { authenticated_user: "admin", email: null, provider: "authkit" }
      const ofMethod = (method: string) =>
        JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { _authContext: claimed } })
      const first = JSON.parse(yield* textOf(yield* system.forwarded({ body: ofMethod("initialize") })))
      assert.strictEqual(first.params._authContext.authenticated_user, "user123")
      const second = JSON.parse(yield* textOf(yield* system.forwarded({ body: ofMethod("tools/list") })))
      assert.deepStrictEqual(second.params, {})
    }))

  it.effect("FTL MCP Authorizer \"Forwards authenticated request to MCP gateway\" at auth_gateway_url, without the token", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      const request = yield* system.forwarded()
      assert.strictEqual(request.url, "/mcp-internal")
      assert.lengthOf(request.headers("authorization"), 0)
      assert.notInclude(request.rawHeaders.join("\n"), system.token)
    }))

  it.effect("FTL MCP Authorizer \"auth_trace_header … for request correlation\": echoed, forwarded, made if missing", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      const traced = yield* curl(system, { lines: ["X-Trace-Id: abc-123"] })
      assert.deepStrictEqual(traced.headers("x-trace-id"), ["abc-123"])
      assert.deepStrictEqual(
        (yield* system.forwarded({ lines: ["X-Trace-Id: abc-124"] })).headers("x-trace-id"),
        ["abc-124"]
      )
      assert.match((yield* curl(system)).headers("x-trace-id").join(), /^[0-9a-f-]{36}$/)

      const renamed = yield* startReplacement((mcpGateway) => ({
        auth_enabled: "true",
        auth_gateway_url: mcpGateway,
        auth_trace_header: "X-Correlation-Id",
        auth_provider_type: "authkit",
        auth_provider_issuer: authKit.issuer
      }), system.token)
      const response = yield* curl(renamed, { lines: ["X-Correlation-Id: abc-125"] })
      assert.deepStrictEqual(response.headers("x-correlation-id"), ["abc-125"])
      assert.lengthOf(response.headers("x-trace-id"), 0)
    }))

  it.effect("FTL MCP Authorizer \"GET /.well-known/oauth-protected-resource\" and \"GET /.well-known/oauth-authorization-server\"", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      assert.deepStrictEqual(documentOf(yield* curl(system, { target: "/.well-known/oauth-protected-resource" })), {
        resource: "http://localhost:3000/mcp",
        authorization_servers: [authKit.issuer],
        bearer_methods_supported: ["header"]
      })
      const server = yield* curl(system, { target: "/.well-known/oauth-authorization-server" })
      assert.deepInclude(documentOf(server), {
        issuer: authKit.issuer,
        authorization_endpoint: `${authKit.issuer}/oauth2/authorize`,
        token_endpoint: `${authKit.issuer}/oauth2/token`
      })
    }))

  it.effect("FTL MCP Authorizer, error table: 401 \"unauthorized\" \"Missing authorization header\"", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      const response = yield* assertRejected(system, { authorization: null }, { status: 401, error: "unauthorized" })
      assert.deepStrictEqual(JSON.parse(response.text), {
        error: "unauthorized",
        error_description: "Missing authorization header"
      })
    }))

  it.effect("FTL MCP Authorizer, error table: 401 \"invalid_token\" \"Token validation failed\", or a text that says more", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      const good = yield* authKit.sign()
      const other = yield* authKit.sign({ claims: { sub: "admin" } })
      const [header, claims] = good.split(".")
      const spoiled = [
        [yield* authKit.sign({ claims: { sub: 7 } }), "Token validation failed"],
        [yield* authKit.sign({ expiresIn: "-1 hour" }), "Token has expired"],
        [yield* authKit.sign({ claims: { iss: "https://other.authkit.app" } }), "Invalid issuer"],
        [yield* authKit.sign({ claims: { aud: "other-api" } }), "Invalid audience"],
        [`${header}.${claims}.${other.split(".")[2]}`, "Invalid signature"],
        [yield* authKit.sign({ header: { alg: "none" } }), "Unsupported algorithm"],
        ["InvalidFormat", "Invalid token format"]
      ] as const
      for (const [token, description] of spoiled) {
        const rejected = { status: 401, error: "invalid_token" }
        const response = yield* assertRejected(system, { authorization: bearer(token) }, rejected)
        assert.deepStrictEqual(JSON.parse(response.text), { error: "invalid_token", error_description: description })
        assert.include(challengeOf(response), `error="invalid_token", error_description="${description}"`)
      }
    }))

  it.effect("FTL MCP Authorizer, error table: 500 \"server_error\" \"Internal server error\"; the log has what \"Failed to fetch JWKS\" told", () =>
    Effect.gen(function*() {
      const authKit = yield* TestIssuer.make()
      yield* authKit.misbehave(jwks, Misbehaviour.Respond({ status: 503 }), Infinity)
      const system = yield* startReplacement((mcpGateway) => ({
        auth_enabled: "true",
        auth_gateway_url: mcpGateway,
        auth_provider_type: "authkit",
        auth_provider_issuer: authKit.issuer
      }), yield* authKit.sign())
      const response = yield* curl(system, { method: "POST", authorization: bearer(system.token) })
      assert.strictEqual(response.status, 500)
      assert.deepStrictEqual(JSON.parse(response.text), {
        error: "server_error",
        error_description: "Internal server error"
      })
      assert.lengthOf(response.headers("www-authenticate"), 0, "no one is sent to log in")
      assert.match(response.headers("retry-after").join(), /^\d+$/)
      assert.lengthOf(system.upstream.requests(), 0)
      const log = system.logs.entries().join("\n")
      assert.include(log, "Keys of a provider are unavailable")
      assert.include(log, `${authKit.jwksUri}: Status 503`)
    }))

  it.effect("FTL MCP Authorizer \"5-minute cache … reduces provider API calls\"", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      yield* system.forwarded()
      const before = yield* authKit.hits(jwks)
      for (let request = 0; request < 20; request++) {
        yield* system.forwarded({ authorization: bearer(yield* authKit.sign()) })
      }
      assert.strictEqual(yield* authKit.hits(jwks), before)
    }))

  it.effect("FTL MCP Authorizer \"No Secrets: All verification uses public keys from JWKS\": AuthKit is told nothing", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      yield* system.forwarded()
      const asked = yield* authKit.requests()
      assert.isNotEmpty(asked)
      for (const { body, headers, method, path } of asked) {
        assert.deepStrictEqual([method, path, headers["authorization"], body], ["GET", jwks, undefined, ""])
      }
    }))

  it.effect("FTL MCP Authorizer \"Invalid audience\": \"omit for no audience validation\"", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      const elsewhere = bearer(yield* authKit.sign({ claims: { aud: "other-api" } }))
      const nowhere = bearer(yield* authKit.sign({ claims: { aud: undefined } }))
      const rejections = [[elsewhere, "Invalid audience"], [nowhere, "Missing required claim"]] as const
      for (const [authorization, description] of rejections) {
        const response = yield* assertRejected(system, { authorization }, { status: 401, error: "invalid_token" })
        assert.strictEqual(JSON.parse(response.text).error_description, description)
      }
      const lenient = yield* startReplacement((mcpGateway) => ({
        auth_enabled: "true",
        auth_gateway_url: mcpGateway,
        auth_provider_type: "authkit",
        auth_provider_issuer: authKit.issuer
      }), system.token)
      yield* lenient.forwarded({ authorization: elsewhere })
      yield* lenient.forwarded({ authorization: nowhere })
      assert.include(lenient.logs.entries().join("\n"), "no audience is configured")
      assert.notInclude(system.logs.entries().join("\n"), "no audience is configured")
    }))

  it.effect("FTL MCP Authorizer \"Enable/disable authentication\": off accepts everyone, without an identity, with a warning", () =>
    Effect.gen(function*() {
      const open = yield* startReplacement(
        (mcpGateway) => ({ auth_enabled: "false", auth_gateway_url: mcpGateway }),
        "any-token"
      )
      const request = yield* open.forwarded({ authorization: null, lines: ["X-Auth-User-Id: admin"] })
      assert.lengthOf(request.headers("x-auth-user-id"), 0)
      assert.include(open.logs.entries().join("\n"), "Authentication is disabled")
    }))
})
