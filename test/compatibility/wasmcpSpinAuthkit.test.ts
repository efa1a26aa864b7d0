import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { assertRejected } from "../support/assertRejected.ts"
import * as responses from "../support/upstreamResponses.ts"
import {
  bearer,
  challengeOf,
  curl,
  documentOf,
  initialize,
  type Replacement,
  settingsOf,
  SetUp,
  startReplacement,
  toolsList
} from "./predecessor.ts"

/** What the document's `initialize` example has apart from the user: the result of the MCP handler. */
const handlerResult = {
  protocolVersion: "2025-03-26",
  capabilities: { tools: {}, resources: {}, prompts: {} },
  serverInfo: { name: "wasmcp-spin-authkit", version: "0.1.0" }
}

/** The document's component, a loopback issuer playing AuthKit; its errors are those of `MCP_ERROR_STYLE=unauthorized`. */
const Component = SetUp.layer(
  { subject: "user_123", claims: { email: "user@example.com" } },
  (authKit, mcpHandler) => ({
    authkit_issuer: authKit.issuer,
    authkit_jwks_uri: authKit.jwksUri,
    mcp_gateway_url: mcpHandler,
    MCP_ERROR_STYLE: "unauthorized"
  })
)

const initialized = Effect.fnUntraced(
  function*(system: Replacement, contentType: string, frame: (json: string) => string) {
    yield* Effect.addFinalizer(() => system.reset)
    const body = frame(JSON.stringify({ jsonrpc: "2.0", id: 1, result: handlerResult }))
    yield* system.upstream.respondWith(responses.respond({ headers: { "content-type": contentType }, body }))
    return yield* curl(system, { method: "POST", authorization: bearer(system.token), body: initialize })
  }
)

/** The document's `authInfo`, with the name of its provider. */
const withUser = {
  ...handlerResult,
  serverInfo: {
    ...handlerResult.serverInfo,
    authInfo: { authenticated_user: "user_123", email: "user@example.com", provider: "authkit" }
  }
}

layer(Component, { excludeTestServices: true })("wasmcp-spin-authkit", (it) => {
  it.effect("wasmcp-spin-authkit \"Basic AuthKit Setup\" and \"With Audience Validation\"", () =>
    Effect.gen(function*() {
      const basic = {
        authkit_issuer: "https://divine-lion-50.authkit.app",
        authkit_jwks_uri: "https://divine-lion-50.authkit.app/oauth2/jwks"
      }
      const expected = {
        type: "authkit",
        issuer: "https://divine-lion-50.authkit.app",
        keys: { _tag: "Jwks", uri: "https://divine-lion-50.authkit.app/oauth2/jwks" }
      } as const
      assert.deepInclude<unknown>((yield* settingsOf(basic)).providers[0], { ...expected, audience: [] })
      const { providers } = yield* settingsOf({ ...basic, authkit_audience: "https://api.myapp.com" })
      assert.deepInclude<unknown>(providers[0], { ...expected, audience: ["https://api.myapp.com"] })
    }))

  it.effect("wasmcp-spin-authkit \"the initialize response includes user information\": in JSON", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      const response = yield* initialized(system, "application/json", (json) => json)
      assert.deepStrictEqual(documentOf(response), { jsonrpc: "2.0", id: 1, result: withUser })
    }))

  it.effect("wasmcp-spin-authkit \"the initialize response includes user information\": in an event stream", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      const response = yield* initialized(system, "text/event-stream", (json) => `event: message\ndata: ${json}\n\n`)
      const [event, payload, ...rest] = response.text.split("\n")
      assert.deepStrictEqual([event, rest], ["event: message", ["", ""]])
      assert.deepStrictEqual(JSON.parse(payload?.replace("data: ", "") ?? ""), {
        jsonrpc: "2.0",
        id: 1,
        result: withUser
      })
    }))

  it.effect("wasmcp-spin-authkit \"User Context\": email is null where the token has none", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      const anonymous = { ...system, token: yield* authKit.sign({ claims: { email: undefined } }) }
      const { result } = JSON.parse((yield* initialized(anonymous, "application/json", (json) => json)).text)
      assert.deepStrictEqual(result.serverInfo.authInfo, { ...withUser.serverInfo.authInfo, email: null })
    }))

  it.effect("wasmcp-spin-authkit \"Full support for tools, resources, and prompts (version 2025-03-26)\": everything passes", () =>
    Effect.gen(function*() {
      const { system } = yield* SetUp
      for (const method of ["tools/call", "resources/read", "prompts/get", "notifications/initialized", "any/other"]) {
        const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { name: "x" } })
        const version = { lines: ["MCP-Protocol-Version: 2025-03-26"] }
        const request = yield* system.forwarded({ body, ...version })
        assert.strictEqual(Buffer.from(yield* request.body).toString(), body)
        assert.deepStrictEqual(request.headers("mcp-protocol-version"), ["2025-03-26"])
      }
    }))

  it.effect("wasmcp-spin-authkit \"Drop-in replacement\": with MCP_PATH=/ the MCP endpoint is wherever route = \"/...\" has it", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      const everywhere = yield* startReplacement((mcpHandler) => ({
        authkit_issuer: authKit.issuer,
        authkit_jwks_uri: authKit.jwksUri,
        mcp_gateway_url: mcpHandler,
        MCP_PATH: "/"
      }), system.token)
      yield* everywhere.forwarded({ target: "/" })
      assert.strictEqual((yield* everywhere.forwarded({ target: "/mcp" })).url, "/mcp-internal/mcp")
      yield* assertRejected(everywhere, { target: "/mcp", authorization: null }, { status: 401, error: "unauthorized" })
      const resource = documentOf(yield* curl(everywhere, { target: "/.well-known/oauth-protected-resource" }))
      assert.deepInclude(resource, { authorization_servers: [authKit.issuer] })
    }))

  it.effect("wasmcp-spin-authkit \"/.well-known/oauth-protected-resource: Returns resource metadata\"", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      assert.deepStrictEqual(documentOf(yield* curl(system, { target: "/.well-known/oauth-protected-resource" })), {
        resource: "http://localhost:3000/mcp",
        authorization_servers: [authKit.issuer],
        bearer_methods_supported: ["header"]
      })
    }))

  const printed = [
    ["Missing Authorization", null, "Missing authorization header"],
    ["Invalid Token", "Bearer not-a-jwt", "Invalid token format"]
  ] as const
  for (const [heading, authorization, description] of printed) {
    it.effect(`wasmcp-spin-authkit "${heading}": status, fields and body as printed`, () =>
      Effect.gen(function*() {
        const { system } = yield* SetUp
        const request = { method: "POST", authorization, body: toolsList, host: "localhost:3000" }
        const response = yield* assertRejected(system, request, { status: 401, error: "unauthorized" })
        assert.strictEqual(response.statusLine, "HTTP/1.1 401 Unauthorized")
        assert.deepStrictEqual(response.headers("content-type"), ["application/json"])
        assert.deepStrictEqual(JSON.parse(response.text), { error: "unauthorized", error_description: description })
        // The document's line, and the place of the metadata after it.
        assert.strictEqual(
          challengeOf(response),
          `Bearer error="unauthorized", error_description="${description}"` +
            `, resource_metadata="http://localhost:3000/.well-known/oauth-protected-resource"`
        )
      }))
  }

  it.effect("wasmcp-spin-authkit \"Verifies issuer matches configuration\", \"Validates expiration\": \"Returns 401 with WWW-Authenticate\"", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      const { kid } = yield* authKit.key()
      const spoiled = [
        [{ claims: { iss: "https://other.authkit.app" } }, "Invalid issuer"],
        [{ expiresIn: "-1 hour" }, "Token has expired"],
        // The original accepted every signature, and every expiry after 2024.
        [{ key: yield* makeSigningKey({ algorithm: "RS256", kid }) }, "Invalid signature"],
        [{ claims: { exp: 1_735_689_601 } }, "Token has expired"]
      ] as const
      for (const [options, description] of spoiled) {
        const authorization = bearer(yield* authKit.sign(options))
        const response = yield* assertRejected(system, { authorization }, { status: 401, error: "unauthorized" })
        assert.deepStrictEqual(JSON.parse(response.text), { error: "unauthorized", error_description: description })
        assert.include(challengeOf(response), `Bearer error="unauthorized", error_description="${description}"`)
      }
    }))

  it.effect("wasmcp-spin-authkit \"Checks audience (if configured)\"", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      yield* system.forwarded({ authorization: bearer(yield* authKit.sign({ claims: { aud: "anything" } })) })
      const audience = "https://api.myapp.com"
      const strict = yield* startReplacement((mcpHandler) => ({
        authkit_issuer: authKit.issuer,
        authkit_jwks_uri: authKit.jwksUri,
        authkit_audience: audience,
        mcp_gateway_url: mcpHandler,
        MCP_ERROR_STYLE: "unauthorized"
      }), yield* authKit.sign({ claims: { aud: audience } }))
      yield* strict.forwarded({ authorization: bearer(yield* authKit.sign({ claims: { aud: [audience, "other"] } })) })
      for (const [aud, description] of [["anything", "Invalid audience"], [undefined, "Missing required claim"]]) {
        const authorization = bearer(yield* authKit.sign({ claims: { aud } }))
        const response = yield* assertRejected(strict, { authorization }, { status: 401, error: "unauthorized" })
        assert.strictEqual(JSON.parse(response.text).error_description, description)
      }
    }))

  it.effect("wasmcp-spin-authkit \"On success: Request forwarded to MCP handler with user context\"", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* SetUp
      const request = yield* system.forwarded({ body: initialize })
      const { params } = JSON.parse(Buffer.from(yield* request.body).toString())
      assert.deepStrictEqual(params._authContext, withUser.serverInfo.authInfo)
      const later = yield* system.forwarded({ body: toolsList })
      assert.deepStrictEqual(later.headers("x-auth-user-id"), ["user_123"])
      assert.deepStrictEqual(later.headers("x-auth-email"), ["user@example.com"])
      assert.deepStrictEqual(later.headers("x-auth-issuer"), [authKit.issuer])
    }))
})
