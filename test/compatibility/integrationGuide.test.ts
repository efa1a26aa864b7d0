import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { protectedResource } from "../../src/discovery/protectedResource.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { assertRejected } from "../support/assertRejected.ts"
import { textOf } from "../support/GatewayFixture.ts"
import {
  bearer,
  challengeOf,
  curl,
  documentOf,
  initialize,
  type Replacement,
  settingsOf,
  startReplacement,
  type Variables
} from "./predecessor.ts"

const userinfo = "/oauth/userinfo"
const metadata = "https://my-server.com/.well-known/oauth-protected-resource"

/** The guide's server `https://my-server.com/mcp`, with an AuthKit instance. */
const guide = (authKitUrl: string): Variables => ({
  MCP_PROVIDER_TYPE: "userinfo",
  MCP_JWT_ISSUER: authKitUrl,
  MCP_TOKEN_PREFIX: "mat_",
  MCP_PUBLIC_URL: "https://my-server.com",
  MCP_SCOPES_SUPPORTED: "mcp:tools,mcp:read",
  MCP_ERROR_STYLE: "jsonrpc",
  // On loopback only; a gateway that listens elsewhere allows every origin.
  MCP_ALLOWED_ORIGINS: "*"
})

class MyServer extends Context.Service<MyServer, {
  readonly authKit: TestIssuer["Service"]
  readonly system: Replacement
  /** A fresh `mat_` token, as a header. */
  readonly newToken: Effect.Effect<string>
}>()("mcp-authorizer/test/compatibility/integrationGuide.test/MyServer") {
  static readonly layer = Layer.effect(
    MyServer,
    Effect.gen(function*() {
      const authKit = yield* TestIssuer.make({
        subject: "usr_xxx",
        claims: { email: "user@example.com", name: "Name" }
      })
      const newToken = Effect.suspend(() => authKit.issueOpaque({ prefix: "mat_" }))
      const system = yield* startReplacement(
        (mcpServer) => ({ ...guide(authKit.issuer), MCP_GATEWAY_URL: mcpServer }),
        yield* newToken
      )
      return { authKit, system, newToken: Effect.map(newToken, bearer) }
    })
  )
}

layer(MyServer.layer, { excludeTestServices: true })("Integration Guide", (it) => {
  it.effect("Integration Guide, Step 2 \"Serve Protected Resource Metadata\": the guide's document and fields", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* MyServer
      const response = yield* curl(system, { target: "/.well-known/oauth-protected-resource" })
      assert.deepStrictEqual(documentOf(response), {
        resource: "https://my-server.com/mcp",
        authorization_servers: [authKit.issuer],
        scopes_supported: ["mcp:tools", "mcp:read"],
        bearer_methods_supported: ["header"]
      })
      assert.deepStrictEqual(response.headers("cache-control"), ["public, max-age=3600"])
      assert.deepStrictEqual(response.headers("access-control-allow-origin"), ["*"])

      const settings = yield* settingsOf(guide("https://your-authkit-instance.com"))
      assert.deepStrictEqual(protectedResource(settings, settings.publicUrl ?? "").authorization_servers, [
        "https://your-authkit-instance.com"
      ])
    }))

  it.effect("Integration Guide, Step 3 \"Return 401 with Discovery Header\": the guide's response", () =>
    Effect.gen(function*() {
      const { system } = yield* MyServer
      const response = yield* assertRejected(system, { authorization: null }, { status: 401, error: undefined })
      assert.deepStrictEqual(JSON.parse(response.text), {
        jsonrpc: "2.0",
        id: null,
        error: { code: -32001, message: "Unauthorized: Bearer token required" }
      })
      assert.deepStrictEqual(response.headers("content-type"), ["application/json"])
      assert.strictEqual(challengeOf(response), `Bearer resource_metadata="${metadata}"`)
      assert.deepStrictEqual(response.headers("access-control-allow-origin"), ["*"])
      assert.include(response.headers("access-control-expose-headers").join().split(", "), "WWW-Authenticate")
    }))

  it.effect("Integration Guide, Step 3 \"The resource_metadata URL must point to your server's root domain PRM\", from below /mcp too", () =>
    Effect.gen(function*() {
      const { system } = yield* MyServer
      for (const host of ["localhost:3000", "10.0.0.7"]) {
        const response = yield* curl(system, { target: "/mcp/below", host })
        assert.strictEqual(challengeOf(response), `Bearer resource_metadata="${metadata}"`)
      }
    }))

  it.effect("Integration Guide, Step 4 \"AuthKit access tokens have the prefix mat_. Validate them with a single call\"", () =>
    Effect.gen(function*() {
      const { authKit, newToken, system } = yield* MyServer
      const authorization = yield* newToken
      const before = (yield* authKit.requests()).length
      const request = yield* system.forwarded({ authorization, body: initialize })
      const [call, ...others] = (yield* authKit.requests()).slice(before)
      assert.lengthOf(others, 0)
      assert.deepStrictEqual([call?.method, call?.path], ["GET", userinfo])
      assert.strictEqual(call?.headers["authorization"], authorization)
      assert.deepStrictEqual(JSON.parse(yield* textOf(request)).params._authContext, {
        authenticated_user: "usr_xxx",
        email: "user@example.com",
        provider: "userinfo"
      })
      assert.lengthOf(request.headers("authorization"), 0, "the token is for AuthKit and the gateway alone")
    }))

  it.effect("Integration Guide, Step 4 \"if (!res.ok) return null\": a token that AuthKit does not know is 401", () =>
    Effect.gen(function*() {
      const { system } = yield* MyServer
      const unknown = "Bearer mat_0123456789abcdefghijklmnopqrstuvwxyzABCD"
      const response = yield* assertRejected(system, { authorization: unknown }, {
        status: 401,
        error: "invalid_token"
      })
      assert.deepStrictEqual(JSON.parse(response.text), {
        jsonrpc: "2.0",
        id: null,
        error: {
          code: -32001,
          message: "Token is not active",
          data: { error: "invalid_token", error_description: "Token is not active" }
        }
      })
      assert.strictEqual(
        challengeOf(response),
        `Bearer error="invalid_token", error_description="Token is not active", resource_metadata="${metadata}"`
      )
    }))

  it.effect("Integration Guide, Step 4 \"catch { return null }\", safely: AuthKit's outage is 500, and no one is sent to log in", () =>
    Effect.gen(function*() {
      const { authKit, newToken, system } = yield* MyServer
      const outages = [
        Misbehaviour.Respond({ status: 503 }),
        Misbehaviour.Respond({ status: 500 }),
        Misbehaviour.Disconnect({ after: "Request" }),
        Misbehaviour.Respond({ body: "<html>" })
      ]
      for (const outage of outages) {
        const authorization = yield* newToken
        yield* authKit.misbehave(userinfo, outage)
        const response = yield* assertRejected(system, { authorization }, { status: 500, error: "server_error" })
        assert.lengthOf(response.headers("www-authenticate"), 0)
        assert.lengthOf(response.headers("retry-after"), 1)
        yield* system.forwarded({ authorization })
      }
    }))

  it.effect("Integration Guide \"Full Auth Check Pattern\": what has no known prefix is rejected, and AuthKit is not asked", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* MyServer
      const before = (yield* authKit.requests()).length
      const signed = yield* authKit.sign()
      for (const token of ["wcd_0123456789abcdef", "mrt_0123456789abcdef", "MAT_0123456789abcdef", signed]) {
        const authorization = bearer(token)
        const response = yield* assertRejected(system, { authorization }, { status: 401, error: "invalid_token" })
        assert.strictEqual(JSON.parse(response.text).error.message, "Invalid token format")
      }
      const asked = (yield* authKit.requests()).slice(before).map(({ headers }) => headers["authorization"])
      assert.isEmpty(asked.filter((authorization) => authorization !== bearer(system.token)))
    }))

  it.effect("Integration Guide \"Cache /oauth/userinfo responses … keyed by token hash\": one call a token", () =>
    Effect.gen(function*() {
      const { authKit, newToken, system } = yield* MyServer
      const [ada, bob] = yield* Effect.all([
        authKit.issueOpaque({ prefix: "mat_", subject: "usr_ada" }),
        authKit.issueOpaque({ prefix: "mat_", subject: "usr_bob" })
      ])
      const before = yield* authKit.hits(userinfo)
      for (let turn = 0; turn < 5; turn++) {
        for (const [token, subject] of [[ada, "usr_ada"], [bob, "usr_bob"]] as const) {
          const request = yield* system.forwarded({ authorization: bearer(token) })
          assert.deepStrictEqual(request.headers("x-auth-user-id"), [subject])
        }
      }
      assert.strictEqual((yield* authKit.hits(userinfo)) - before, 2)

      // At the same time, too.
      const authorization = yield* newToken
      const all = yield* Effect.all(Array.from({ length: 20 }, () => system.send({ authorization })), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual([...new Set(all.map(({ responses: [response] }) => response?.status))], [200])
      assert.strictEqual((yield* authKit.hits(userinfo)) - before, 3)
    }))

  it.effect("Integration Guide \"Redirect /.well-known/oauth-authorization-server to AuthKit's metadata with a 308\"", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* MyServer
      const response = yield* curl(system, { target: "/.well-known/oauth-authorization-server" })
      const location = `${authKit.issuer}/.well-known/oauth-authorization-server`
      assert.deepStrictEqual([response.status, response.headers("location")], [308, [location]])
      assert.deepStrictEqual(response.headers("access-control-allow-origin"), ["*"])
      const there = yield* Effect.promise(async () => (await fetch(location)).json())
      assert.deepInclude(there, { issuer: authKit.issuer })
    }))

  it.effect("Integration Guide, pitfall \"authorization_servers URL has trailing newline\"", () =>
    Effect.gen(function*() {
      const { authKit, newToken } = yield* MyServer
      const system = yield* startReplacement((mcpServer) => {
        const variables = { ...guide(authKit.issuer), MCP_GATEWAY_URL: mcpServer }
        return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, `${value}\n`]))
      }, (yield* newToken).replace("Bearer ", ""))
      const document = documentOf(yield* curl(system, { target: "/.well-known/oauth-protected-resource" }))
      assert.deepInclude(document, {
        resource: "https://my-server.com/mcp",
        authorization_servers: [authKit.issuer],
        scopes_supported: ["mcp:tools", "mcp:read"]
      })
      yield* system.forwarded()
    }))

  it.effect("Integration Guide, pitfall \"CORS errors in browser: Missing headers on PRM\": for every origin, even those that may not call", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* MyServer
      const closed = yield* startReplacement((mcpServer) => ({
        ...guide(authKit.issuer),
        MCP_ALLOWED_ORIGINS: "https://my-app.com",
        MCP_GATEWAY_URL: mcpServer
      }), system.token)
      const lines = ["Origin: https://claude.ai"]
      for (const target of ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"]) {
        for (const gateway of [system, closed]) {
          const response = yield* curl(gateway, { target, lines })
          assert.strictEqual(response.status, 200)
          assert.deepStrictEqual(response.headers("access-control-allow-origin"), ["*"])
        }
      }
    }))

  it.effect("Integration Guide, pitfall \"PRM returns 404\": below the root there is only the one for /mcp", () =>
    Effect.gen(function*() {
      const { system } = yield* MyServer
      const status = (target: string) => Effect.map(curl(system, { target }), ({ status }) => status)
      assert.strictEqual(yield* status("/.well-known/oauth-protected-resource"), 200)
      assert.strictEqual(yield* status("/.well-known/oauth-protected-resource/mcp"), 200)
      assert.strictEqual(yield* status("/.well-known/oauth-protected-resource/other"), 404)
      assert.strictEqual(yield* status("/mcp/.well-known/oauth-protected-resource"), 401)
    }))
})
