import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { assertRejected } from "../support/assertRejected.ts"
import { textOf } from "../support/GatewayFixture.ts"
import * as responses from "../support/upstreamResponses.ts"
import { bearer, curl, documentOf, initialize, settingsOf, SetUp, startReplacement, toolsList } from "./predecessor.ts"

const jwks = "/oauth2/jwks"

/** The document's gateway, a loopback issuer playing AuthKit. */
const AuthGateway = SetUp.layer(
  { subject: "user_123", claims: { email: "user@example.com" } },
  (authKit, mcpGateway) => ({
    authkit_issuer: authKit.issuer,
    mcp_gateway_url: mcpGateway
  })
)

layer(AuthGateway, { excludeTestServices: true })("FTL Auth Gateway", (it) => {
  it.effect("FTL Auth Gateway \"authkit_jwks_uri … defaults to {issuer}/oauth2/jwks\" and can be set", () =>
    Effect.gen(function*() {
      const { providers } = yield* settingsOf({ authkit_issuer: "https://your-domain.authkit.app" })
      assert.deepInclude<unknown>(providers[0], {
        type: "authkit",
        keys: { _tag: "Jwks", uri: "https://your-domain.authkit.app/oauth2/jwks" }
      })
      const { authKit } = yield* SetUp
      const before = yield* authKit.hits("/jwks")
      const elsewhere = yield* startReplacement((mcpGateway) => ({
        authkit_issuer: authKit.issuer,
        authkit_jwks_uri: `${authKit.issuer}/jwks`,
        mcp_gateway_url: mcpGateway
      }), yield* authKit.sign())
      yield* elsewhere.forwarded()
      assert.strictEqual((yield* authKit.hits("/jwks")) - before, 1)
    }))

  it.effect("FTL Auth Gateway \"mcp_gateway_url … defaults to http://ftl-mcp-gateway.spin.internal/mcp-internal\"", () =>
    Effect.gen(function*() {
      const { gatewayUrl } = yield* settingsOf({ authkit_issuer: "https://your-domain.authkit.app" })
      assert.strictEqual(gatewayUrl, "http://ftl-mcp-gateway.spin.internal/mcp-internal")
    }))

  it.effect("FTL Auth Gateway \"POST /mcp - Protected MCP endpoint requiring Bearer token authentication\"", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      yield* assertRejected(system, { authorization: null }, { status: 401, error: "unauthorized" })
      const rejected = { status: 401, error: "invalid_token" }
      yield* assertRejected(system, { authorization: "Basic dXNlcjpwYXNzd29yZA==" }, rejected)
      yield* assertRejected(system, { authorization: "Token abc123" }, rejected)
    }))

  it.effect("FTL Auth Gateway \"Make authenticated request\"", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      const response = yield* curl(system, { method: "POST", authorization: bearer(system.token), body: toolsList })
      assert.strictEqual(response.status, 200)
      assert.strictEqual(JSON.parse(response.text).result.tools[0].name, "echo")
    }))

  it.effect("FTL Auth Gateway \"Full RS256 signature verification\": neither unsigned, nor by another key, nor another algorithm", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      const { kid } = yield* authKit.key()
      const stranger = yield* makeSigningKey({ algorithm: "RS256", kid })
      const [header, claims] = system.token.split(".")
      const spoiled = [
        [yield* authKit.sign({ key: stranger }), "Invalid signature"],
        [`${header}.${claims}.`, "Invalid token format"],
        [yield* authKit.sign({ header: { alg: "none" } }), "Unsupported algorithm"],
        [yield* authKit.sign({ header: { alg: "HS256" } }), "Unsupported algorithm"],
        [yield* authKit.sign({ header: { alg: "RS384" } }), "Unsupported algorithm"]
      ] as const
      for (const [token, description] of spoiled) {
        const rejected = { status: 401, error: "invalid_token" }
        const response = yield* assertRejected(system, { authorization: bearer(token) }, rejected)
        assert.strictEqual(JSON.parse(response.text).error_description, description)
      }
    }))

  it.effect("FTL Auth Gateway \"JWKS Key Rotation: Automatic fetching of new keys\"", () =>
    Effect.gen(function*() {
      const authKit = yield* TestIssuer.make()
      const old = yield* authKit.sign()
      const system = yield* startReplacement((mcpGateway) => ({
        authkit_issuer: authKit.issuer,
        mcp_gateway_url: mcpGateway
      }), old)
      yield* system.forwarded()
      assert.strictEqual(yield* authKit.hits(jwks), 1)
      yield* authKit.rotate()
      yield* system.forwarded({ authorization: bearer(yield* authKit.sign()) })
      assert.strictEqual(yield* authKit.hits(jwks), 2)
      yield* system.forwarded({ authorization: bearer(old) })

      // "Failed to get decoding key": invented key ids cannot make the gateway fetch again and again.
      const unpublished = yield* makeSigningKey({ algorithm: "RS256", kid: "unpublished" })
      const unknown = bearer(yield* authKit.sign({ key: unpublished }))
      const response = yield* assertRejected(system, { authorization: unknown }, {
        status: 401,
        error: "invalid_token"
      })
      assert.strictEqual(JSON.parse(response.text).error_description, "Unknown signing key")
      assert.strictEqual(yield* authKit.hits(jwks), 2)
    }))

  it.effect("FTL Auth Gateway \"JWKS caching reduces AuthKit API calls by ~99%\": one call for a hundred requests", () =>
    Effect.gen(function*() {
      const { authKit } = yield* SetUp
      const before = yield* authKit.hits(jwks)
      const system = yield* startReplacement((mcpGateway) => ({
        authkit_issuer: authKit.issuer,
        mcp_gateway_url: mcpGateway
      }), yield* authKit.sign())
      yield* Effect.forEach(Array.from({ length: 100 }), () =>
        authKit.sign().pipe(
          Effect.flatMap((token) => system.send({ authorization: bearer(token) })),
          Effect.map(({ responses: [response] }) => assert.strictEqual(response?.status, 200))
        ), { concurrency: 10, discard: true })
      assert.lengthOf(system.upstream.requests(), 100)
      assert.strictEqual((yield* authKit.hits(jwks)) - before, 1)
    }))

  it.effect("FTL Auth Gateway \"Issuer, expiration, and optional audience validation\"", () =>
    Effect.gen(function*() {
      const { authKit } = yield* SetUp
      const variables = (mcpGateway: string) => ({ authkit_issuer: authKit.issuer, mcp_gateway_url: mcpGateway })
      const mine = { claims: { aud: "https://api.example.com" } }
      const strict = yield* startReplacement(
        (mcpGateway) => ({ ...variables(mcpGateway), authkit_audience: "https://api.example.com" }),
        yield* authKit.sign(mine)
      )
      const spoiled = [
        [{ claims: { aud: "https://api.example.org" } }, "Invalid audience"],
        [{ claims: { ...mine.claims, iss: "https://other.authkit.app" } }, "Invalid issuer"],
        [{ ...mine, expiresIn: "-1 hour" }, "Token has expired"]
      ] as const
      for (const [options, description] of spoiled) {
        const authorization = bearer(yield* authKit.sign(options))
        const response = yield* assertRejected(strict, { authorization }, { status: 401, error: "invalid_token" })
        assert.strictEqual(JSON.parse(response.text).error_description, description)
      }
      yield* strict.forwarded({
        authorization: bearer(yield* authKit.sign({ claims: { aud: ["a", mine.claims.aud] } }))
      })

      // "Or leave it empty to skip audience validation."
      const lenient = yield* startReplacement(
        (mcpGateway) => ({ ...variables(mcpGateway), authkit_audience: "" }),
        strict.token
      )
      yield* lenient.forwarded({ authorization: bearer(yield* authKit.sign({ claims: { aud: "anything" } })) })
    }))

  it.effect("FTL Auth Gateway \"Injects user context into MCP initialize requests\"", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      const request = yield* system.forwarded({ body: initialize })
      assert.deepStrictEqual(JSON.parse(yield* textOf(request)).params._authContext, {
        authenticated_user: "user_123",
        email: "user@example.com",
        provider: "authkit"
      })
    }))

  it.effect("FTL Auth Gateway \"Transparent Proxying\": method, query, fields and bodies pass, both ways", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      const body = `{"jsonrpc":"2.0","id":12345678901234567890,"method":"tools/call","params":{"b":1,"a":2}}`
      yield* system.upstream.respondWith(responses.respond({
        status: 418,
        headers: { "content-type": "text/plain", "mcp-session-id": "s-1", "x-own": "1" },
        body: "not JSON"
      }))
      yield* Effect.addFinalizer(() => system.reset)
      const authorization = bearer(system.token)
      // The client knows a session by an id that is bound to its caller; the server sees its own.
      const [session = ""] = (yield* curl(system, { method: "POST", authorization, body })).headers("mcp-session-id")
      assert.include(session, "s-1")
      const before = system.upstream.requests().length
      const response = yield* curl(system, {
        method: "POST",
        target: "/mcp?a=1&a=2",
        authorization,
        lines: [
          `Mcp-Session-Id: ${session}`,
          "MCP-Protocol-Version: 2025-06-18",
          "Accept: text/event-stream",
          "X-Own: 2"
        ],
        body
      })
      assert.deepStrictEqual([response.status, response.text], [418, "not JSON"])
      assert.deepStrictEqual(
        ["content-type", "mcp-session-id", "x-own"].map((name) => response.headers(name).join()),
        ["text/plain", session, "1"]
      )
      const request = system.upstream.requests()[before]
      assert.deepStrictEqual([request?.method, request?.url], ["POST", "/mcp-internal?a=1&a=2"])
      assert.deepStrictEqual(
        ["mcp-session-id", "mcp-protocol-version", "accept", "x-own"].map((name) => request?.headers(name).join()),
        ["s-1", "2025-06-18", "text/event-stream", "2"]
      )
      assert.strictEqual(request && (yield* textOf(request)), body)
    }))

  it.effect("FTL Auth Gateway \"Dynamic Client Registration: … MCP clients that can self-register with AuthKit\"", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      const server = yield* curl(system, { target: "/.well-known/oauth-authorization-server" })
      assert.deepInclude(documentOf(server), {
        registration_endpoint: `${authKit.issuer}/oauth2/register`,
        token_endpoint_auth_methods_supported: ["none", "client_secret_post", "client_secret_basic"]
      })
    }))

  it.effect("FTL Auth Gateway \"No Secret Storage\" and \"Debug Logging\": a line for each request, without the token", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      yield* system.logs.clear
      yield* curl(system, { lines: ["X-Trace-Id: trace-of-this-test"] })
      const lines = system.logs.entries().filter((entry) => entry.includes("trace-of-this-test"))
      assert.lengthOf(lines, 1)
      assert.include(lines[0], "MissingCredential")
    }))
})
