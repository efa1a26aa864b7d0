import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parseEnv } from "node:util"
import { authorizationServer } from "../../src/discovery/authorizationServer.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { assertRejected } from "../support/assertRejected.ts"
import { textOf } from "../support/GatewayFixture.ts"
import { rawExchange } from "../support/rawHttp.ts"
import {
  bearer,
  challengeOf,
  curl,
  documentOf,
  problemOf,
  settingsOf,
  SetUp,
  startReplacement,
  toolsList
} from "./predecessor.ts"

const jwks = "/oauth2/jwks"

/** The example as its document sets it up, a loopback issuer playing AuthKit. */
const AuthKitExample = SetUp.layer({ claims: { scope: "read write admin" } }, (authKit, mcpGateway) => ({
  SPIN_VARIABLE_AUTHKIT_DOMAIN: authKit.issuer,
  MCP_GATEWAY_URL: mcpGateway
}))

layer(AuthKitExample, { excludeTestServices: true })("AuthKit Example", (it) => {
  it.effect("AuthKit Example \"out-of-the-box support for AuthKit with automatic JWKS discovery\": the domain is enough", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      yield* system.forwarded()
      const asked = yield* authKit.requests()
      assert.isNotEmpty(asked)
      for (const { method, path } of asked) assert.deepStrictEqual([method, path], ["GET", jwks])
    }))

  it.effect("AuthKit Example \"Set the AuthKit domain using an environment variable\": the one required setting", () =>
    Effect.gen(function*() {
      const { providers } = yield* settingsOf({ SPIN_VARIABLE_AUTHKIT_DOMAIN: "https://your-tenant.authkit.app" })
      assert.lengthOf(providers, 1)
      assert.deepInclude<unknown>(providers[0], {
        type: "authkit",
        issuer: "https://your-tenant.authkit.app",
        keys: { _tag: "Jwks", uri: "https://your-tenant.authkit.app/oauth2/jwks" }
      })
      const mistake = yield* problemOf({})
      assert.include(mistake, "No authentication providers configured")
      assert.include(mistake, "AUTHKIT_DOMAIN")
    }))

  it.effect("AuthKit Example \"The server will be available at http://localhost:3000/mcp\"", () =>
    Effect.gen(function*() {
      const settings = yield* settingsOf({ SPIN_VARIABLE_AUTHKIT_DOMAIN: "https://your-tenant.authkit.app" })
      assert.deepInclude(settings, { host: "127.0.0.1", port: 3000, path: "/mcp" })
    }))

  it.effect("AuthKit Example \"Without Authentication (401 Response)\": the printed lines, letter for letter", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      const response = yield* curl(system)
      assert.strictEqual(response.statusLine, "HTTP/1.1 401 Unauthorized")
      assert.strictEqual(
        `WWW-Authenticate: ${challengeOf(response)}`,
        `WWW-Authenticate: Bearer error="unauthorized", error_description="Missing authorization header", resource_metadata="http://localhost:3000/.well-known/oauth-protected-resource"`
      )
      yield* assertRejected(system, { authorization: null }, { status: 401, error: "unauthorized" })
    }))

  it.effect("AuthKit Example \"With JWT Token\": tools/list gets its response", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      yield* system.reset
      const response = yield* curl(system, {
        method: "POST",
        authorization: bearer(system.token),
        body: toolsList
      })
      assert.strictEqual(response.status, 200)
      assert.deepInclude(JSON.parse(response.text), { jsonrpc: "2.0", id: 1 })
      assert.strictEqual(JSON.parse(response.text).result.tools[0].name, "echo")
      const [request, second] = system.upstream.requests()
      assert.isUndefined(second)
      assert.strictEqual(request && (yield* textOf(request)), toolsList)
    }))

  it.effect("AuthKit Example \"endpoints are available without authentication\": protected resource metadata", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      assert.deepStrictEqual(documentOf(yield* curl(system, { target: "/.well-known/oauth-protected-resource" })), {
        resource: "http://localhost:3000/mcp",
        authorization_servers: [authKit.issuer],
        bearer_methods_supported: ["header"]
      })
    }))

  for (const name of ["oauth-authorization-server", "openid-configuration"] as const) {
    it.effect(`AuthKit Example "endpoints are available without authentication": ${name}`, () =>
      Effect.gen(function*() {
        const { authKit, system } = yield* SetUp
        const asked = (yield* authKit.requests()).length
        const document = documentOf(yield* curl(system, { target: `/.well-known/${name}` }))
        assert.deepInclude(document, {
          issuer: authKit.issuer,
          authorization_endpoint: `${authKit.issuer}/oauth2/authorize`,
          token_endpoint: `${authKit.issuer}/oauth2/token`,
          jwks_uri: `${authKit.issuer}/oauth2/jwks`,
          response_types_supported: ["code"],
          code_challenge_methods_supported: ["S256"]
        })
        assert.lengthOf(yield* authKit.requests(), asked, "AuthKit was asked")

        const tenant = yield* settingsOf({ SPIN_VARIABLE_AUTHKIT_DOMAIN: "https://your-tenant.authkit.app" })
        const atTenant = JSON.stringify(document).replaceAll(authKit.issuer, "https://your-tenant.authkit.app")
        assert.deepStrictEqual<unknown>(authorizationServer(tenant, name), {
          _tag: "Document",
          document: JSON.parse(atTenant)
        })
      }))
  }

  it.effect("AuthKit Example \"Comma-separated list of required scopes (e.g., read,write,admin)\"", () =>
    Effect.gen(function*() {
      const { authKit } = yield* SetUp
      const scoped = yield* startReplacement((mcpGateway) => ({
        SPIN_VARIABLE_AUTHKIT_DOMAIN: authKit.issuer,
        SPIN_VARIABLE_MCP_REQUIRED_SCOPES: "read,write,admin",
        MCP_GATEWAY_URL: mcpGateway
      }), yield* authKit.sign())
      yield* scoped.forwarded()
      for (const scope of ["read write", "read", "reader writer admin", "", undefined]) {
        const narrow = bearer(yield* authKit.sign({ claims: { scope } }))
        const rejected = { status: 403, error: "insufficient_scope" }
        const response = yield* assertRejected(scoped, { authorization: narrow, host: "localhost:3000" }, rejected)
        assert.strictEqual(
          challengeOf(response),
          `Bearer error="insufficient_scope", error_description="Token missing required scopes", scope="read write admin", resource_metadata="http://localhost:3000/.well-known/oauth-protected-resource"`
        )
      }
    }))

  it.effect("AuthKit Example \"Required scopes are validated on every request\": on one connection, in any order, any method", () =>
    Effect.gen(function*() {
      const { authKit } = yield* SetUp
      const scoped = yield* startReplacement((mcpGateway) => ({
        SPIN_VARIABLE_AUTHKIT_DOMAIN: authKit.issuer,
        SPIN_VARIABLE_MCP_REQUIRED_SCOPES: "mcp:read,mcp:write",
        MCP_GATEWAY_URL: mcpGateway
      }), yield* authKit.sign({ claims: { scope: "mcp:read mcp:write" } }))
      const narrow = bearer(yield* authKit.sign({ claims: { scope: "mcp:read" } }))
      for (const method of ["POST", "GET", "DELETE"]) {
        yield* assertRejected(scoped, { method, authorization: narrow }, { status: 403, error: "insufficient_scope" })
      }
      const requests = [undefined, narrow, undefined, narrow, undefined].map((authorization) =>
        scoped.bytes(authorization === undefined ? {} : { authorization })
      )
      const { responses } = yield* rawExchange(scoped.gateway.origin, requests, { responses: requests.length })
      assert.deepStrictEqual(responses.map(({ status }) => status), [200, 403, 200, 403, 200])
    }))

  it.effect("AuthKit Example \"For non-AuthKit JWT providers, you can manually configure the JWKS endpoint\"", () =>
    Effect.gen(function*() {
      const other = yield* TestIssuer.make({ audience: "your-api-audience" })
      const system = yield* startReplacement((mcpGateway) => ({
        SPIN_VARIABLE_MCP_JWT_ISSUER: other.issuer,
        SPIN_VARIABLE_MCP_JWT_JWKS_URI: `${other.issuer}/jwks`,
        SPIN_VARIABLE_MCP_JWT_AUDIENCE: "your-api-audience",
        MCP_GATEWAY_URL: mcpGateway
      }), yield* other.sign())
      yield* system.forwarded()
      assert.deepStrictEqual((yield* other.requests()).map(({ path }) => path), ["/jwks"])
      const elsewhere = bearer(yield* other.sign({ claims: { aud: "other-api" } }))
      yield* assertRejected(system, { authorization: elsewhere }, { status: 401, error: "invalid_token" })
    }))

  it.effect("AuthKit Example \"For local development … you can use static tokens\": .env.local as Node's own parser reads it", () =>
    Effect.gen(function*() {
      const file = `MCP_PROVIDER_TYPE=static\nMCP_STATIC_TOKENS="dev-token:dev-client:dev-user:read,write"\n`
      const system = yield* startReplacement(
        (mcpGateway) => ({ ...parseEnv(file), MCP_GATEWAY_URL: mcpGateway }),
        "dev-token"
      )
      const response = yield* curl(system, { method: "POST", authorization: "Bearer dev-token", body: toolsList })
      assert.strictEqual(response.status, 200)
      const [request] = system.upstream.requests()
      assert.deepStrictEqual(
        ["x-auth-user-id", "x-auth-client-id", "x-auth-scopes"].map((name) => request?.headers(name)),
        [["dev-user"], ["dev-client"], ["read write"]]
      )
      const wrong = { authorization: "Bearer dev-token-2" }
      const rejection = yield* assertRejected(system, wrong, { status: 401, error: "invalid_token" })
      assert.strictEqual(JSON.parse(rejection.text).error_description, "Token not found")
    }))

  it.effect("AuthKit Example \"Forwards authenticated requests to internal MCP gateway\", and the token stays behind", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      const request = yield* system.forwarded({ target: "/mcp?a=1" })
      assert.strictEqual(request.url, "/mcp-internal?a=1")
      assert.lengthOf(request.headers("authorization"), 0)
      assert.deepStrictEqual(request.headers("x-auth-issuer"), [authKit.issuer])
      const { gatewayUrl } = yield* settingsOf({ SPIN_VARIABLE_AUTHKIT_DOMAIN: "https://your-tenant.authkit.app" })
      assert.strictEqual(gatewayUrl, "http://ftl-mcp-gateway.spin.internal/mcp-internal")
    }))

  it.effect("AuthKit Example \"All AuthKit domains automatically use HTTPS\"", () =>
    Effect.gen(function*() {
      const { providers } = yield* settingsOf({ SPIN_VARIABLE_AUTHKIT_DOMAIN: "your-tenant.authkit.app" })
      assert.deepInclude<unknown>(providers[0], { issuer: "https://your-tenant.authkit.app" })
      const mistake = yield* problemOf({ SPIN_VARIABLE_AUTHKIT_DOMAIN: "http://your-tenant.authkit.app" })
      assert.include(mistake, "SPIN_VARIABLE_AUTHKIT_DOMAIN")
      assert.include(mistake, "Use https")
    }))

  it.effect("AuthKit Example \"JWKS endpoints are cached for 5 minutes to reduce API calls\": one call for many tokens", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      yield* system.forwarded()
      const before = yield* authKit.hits(jwks)
      for (let user = 0; user < 20; user++) {
        const token = yield* authKit.sign({ claims: { sub: `user-${user}` } })
        const request = yield* system.forwarded({ authorization: bearer(token) })
        assert.deepStrictEqual(request.headers("x-auth-user-id"), [`user-${user}`])
      }
      assert.strictEqual((yield* authKit.hits(jwks)) - before, 0)
    }))

  it.effect("AuthKit Example \"Token expiration is always enforced\"", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      const spoiled = [
        [{ expiresIn: "-1 hour" }, "Token has expired"],
        [{ expiresIn: "-61 seconds" }, "Token has expired"],
        [{ claims: { exp: undefined } }, "Missing required claim"]
      ] as const
      for (const [options, description] of spoiled) {
        const authorization = bearer(yield* authKit.sign(options))
        const response = yield* assertRejected(system, { authorization }, { status: 401, error: "invalid_token" })
        assert.strictEqual(JSON.parse(response.text).error_description, description)
      }
    }))
})
