import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import * as responses from "../support/upstreamResponses.ts"

const evil = "https://evil.example/.well-known/oauth-protected-resource"
const json = { "content-type": "application/json" }

const challenged = (status: number, field: string | ReadonlyArray<string>) =>
  responses.respond({ status, headers: { ...json, "www-authenticate": field }, body: "{\"its\":\"own\"}" })

/** The parameters of the one challenge that a response has. */
const parametersOf = (fields: ReadonlyArray<string> = []) => {
  assert.lengthOf(fields, 1)
  const { parameters, scheme } = parseChallenge(fields[0] ?? "")
  assert.strictEqual(scheme, "Bearer")
  return Object.fromEntries(parameters)
}

/** The log entry of the last request. */
const lastDetail = Effect.map(GatewayFixture, ({ logs }) => JSON.stringify(logs.entries().at(-1)))

const needsMore: ReadonlyArray<readonly [field: string | ReadonlyArray<string>, scope: string | undefined]> = [
  ["Bearer error=\"insufficient_scope\", scope=\"files:read files:write\"", "files:read files:write"],
  ["bearer Error=insufficient_scope , SCOPE=files:read", "files:read"],
  [`Bearer realm="a, b", scope="files:read", error="insufficient_scope", resource_metadata="${evil}"`, "files:read"],
  ["Negotiate YWJj==, Basic realm=\"x\", Bearer error=\"insufficient_scope\", scope=\"files:read\"", "files:read"],
  [["Basic realm=\"x\"", "Bearer error=\"insufficient_scope\", scope=\"files:read\""], "files:read"],
  ["Bearer error=\"insufficient_scope\", scope=\"a a  b\"", "a b"],
  ["Bearer error=\"insufficient_scope\", scope=\"a b\\\"c d\\\\e resource_metadata=https://evil.example f\"", "a f"],
  ["Bearer error=\"insufficient_scope\"", undefined],
  ["Bearer error=\"insufficient_scope\", scope=\"\\\"\"", undefined]
]

const distrusts: ReadonlyArray<readonly [field: string | ReadonlyArray<string>, logged: string]> = [
  ["Bearer", "bearer"],
  ["Bearer error=\"invalid_token\", error_description=\"expired\"", "bearer invalid_token"],
  [`Bearer resource_metadata="${evil}"`, "bearer"],
  ["Basic realm=\"inner\"", "basic"],
  ["Negotiate", "negotiate"],
  ["Basic error=\"insufficient_scope\"", "basic insufficient_scope"],
  ["Bearer realm=\"error=insufficient_scope\"", "bearer"],
  ["Bearer error=\"insufficient_scope", "cannot be read"],
  ["Bearer error=\"invalid_token\", error=\"insufficient_scope\"", "cannot be read"]
]

layer(GatewayFixture.layer(), { excludeTestServices: true })("a challenge of the MCP server", (it) => {
  it.effect("for more scopes reaches the client as 403 with these scopes and the gateway's own metadata", () =>
    Effect.gen(function*() {
      const { gateway, logs, reset, send, upstream } = yield* GatewayFixture
      for (const status of [401, 403]) {
        for (const [field, scope] of needsMore) {
          yield* reset
          yield* upstream.respondWith(challenged(status, field))
          const { responses: [response] } = yield* send()
          assert.strictEqual(response?.status, 403, JSON.stringify(field))
          assert.deepStrictEqual(JSON.parse(response?.text ?? ""), {
            error: "insufficient_scope",
            error_description: "Token missing required scopes"
          })
          assert.deepStrictEqual(parametersOf(response?.headers("www-authenticate")), {
            error: "insufficient_scope",
            error_description: "Token missing required scopes",
            ...(scope === undefined ? {} : { scope }),
            resource_metadata: `http://127.0.0.1/.well-known/oauth-protected-resource`
          })
          assert.include(yield* lastDetail, `the MCP server responds with ${status} insufficient_scope`)
          assert.lengthOf(upstream.requests(), 1)
        }
      }
      assert.isNotEmpty(logs.entries())
      assert.isString(gateway.origin)
    }))

  it.effect("for anything else becomes 502, and the log names it and the fix", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      for (const status of [401, 403]) {
        for (const [field, logged] of distrusts) {
          yield* reset
          yield* upstream.respondWith(challenged(status, field))
          const { responses: [response] } = yield* send()
          assert.strictEqual(response?.status, 502, JSON.stringify(field))
          assert.isEmpty(response?.headers("www-authenticate"))
          assert.notInclude(response?.text, "own")
          const detail = yield* lastDetail
          assert.include(detail, logged)
          assert.include(detail, "MCP_FORWARD_AUTHORIZATION")
          assert.notInclude(detail, "evil")
        }
      }
    }))

  it.effect("is not needed in a 403, which passes like any response; a 401 without one becomes 502", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32003,\"message\":\"insufficient_scope\"}}"
      yield* upstream.respondWith(responses.respond({ status: 403, headers: json, body }))
      const { responses: [forbidden] } = yield* send()
      assert.deepStrictEqual([forbidden?.status, forbidden?.text], [403, body])
      yield* upstream.respondWith(responses.respond({ status: 401, headers: json, body }))
      assert.strictEqual((yield* send()).responses[0]?.status, 502)
    }))

  it.effect("of any length is read in linear time, and a bounded part of it reaches the client", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const scopes = Array.from({ length: 1_000 }, (_, index) => `s${index}`)
      yield* upstream.respondWith(challenged(403, `Bearer error="insufficient_scope", scope="${scopes.join(" ")}"`))
      const { responses: [response] } = yield* send()
      assert.strictEqual(response?.status, 403)
      const { scope } = parametersOf(response?.headers("www-authenticate"))
      assert.deepStrictEqual(scope?.split(" "), scopes.slice(0, 64))
      yield* upstream.respondWith(challenged(403, `Bearer ${"a=\"\\\\\", ".repeat(1_500)}`))
      assert.strictEqual((yield* send()).responses[0]?.status, 502)
    }))
})

const withScope = { requiredScopes: ["read"], scopesSupported: ["read"], errorStyle: "jsonrpc" } as const

layer(GatewayFixture.layer(withScope), { excludeTestServices: true })(
  (it) => {
    it.effect("is passed on in the configured style, with the scopes that every request needs", () =>
      Effect.gen(function*() {
        const { send, upstream } = yield* GatewayFixture
        yield* upstream.respondWith(challenged(403, "Bearer error=\"insufficient_scope\", scope=\"files:read\""))
        const { responses: [response] } = yield* send()
        assert.strictEqual(response?.status, 403)
        assert.strictEqual(parametersOf(response?.headers("www-authenticate"))["scope"], "files:read read")
        assert.deepStrictEqual(JSON.parse(response?.text ?? ""), {
          jsonrpc: "2.0",
          id: null,
          error: {
            code: -32003,
            message: "Token missing required scopes",
            data: { error: "insufficient_scope", error_description: "Token missing required scopes" }
          }
        })
      }))
  }
)

layer(GatewayFixture.layer({ authEnabled: false, providers: [] }), { excludeTestServices: true })((it) => {
  it.effect("becomes 502 where authentication is switched off, because no client could get more scopes", () =>
    Effect.gen(function*() {
      const { send, upstream } = yield* GatewayFixture
      yield* upstream.respondWith(challenged(403, "Bearer error=\"insufficient_scope\", scope=\"files:read\""))
      assert.strictEqual((yield* send({ authorization: null })).responses[0]?.status, 502)
    }))
})
