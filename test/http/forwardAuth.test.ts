/** The decision point for proxies that forward requests themselves, on real sockets. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import type { GatewayConfigInput } from "../../src/config/GatewayConfigInput.ts"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { identityFields } from "../../src/identity/identityFields.ts"
import { settingsOfInput } from "../config/resolving.ts"
import { ping } from "../fixtures/messages.ts"
import { staticProvider, staticToken } from "../fixtures/providers.ts"
import { ruled } from "../fixtures/rules.ts"
import { settings } from "../fixtures/settings.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { startGateway } from "../support/gateway.ts"
import { type FixtureRequest, GatewayFixture } from "../support/GatewayFixture.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import { severalServers } from "../support/severalServers.ts"

const loopback: Pick<GatewaySettings, "trustedProxies"> = settingsOfInput({
  static_tokens: "dev-token:c:s:",
  server_url: "http://127.0.0.1:9/mcp",
  trusted_proxies: "127.0.0.0/8"
})

const start = (overrides: Partial<GatewaySettings> = {}) =>
  GatewayFixture.over(({ origin }) =>
    Effect.succeed({
      settings: settings(`${origin}/mcp`, {
        forwardAuth: true,
        trustedProxies: loopback.trustedProxies,
        providers: [staticProvider([
          staticToken("alice", { subject: "alice", clientId: "app", scopes: ["mcp:read"], email: "alice@example.com" }),
          staticToken("bare", { subject: "bare", clientId: "c", scopes: [] })
        ])],
        ...overrides
      }),
      token: "alice"
    })
  )

/** The fields in which each proxy names the request. */
const dialects: Record<string, (method: string, uri: string, host: string) => FixtureRequest> = {
  nginx: (method, uri, host) => ({
    method: "GET",
    target: "/forward-auth",
    host,
    lines: [`X-Original-URI: ${uri}`, `X-Original-Method: ${method}`]
  }),
  "ingress-nginx": (method, uri, host) => ({
    method: "GET",
    target: "/forward-auth",
    host: "gateway.internal",
    lines: [`X-Original-URL: http://${host}${uri}`, `X-Original-Method: ${method}`]
  }),
  "Caddy and Traefik": (method, uri, host) => ({
    method: "GET",
    target: "/forward-auth",
    host: "gateway.internal",
    lines: [`X-Forwarded-Method: ${method}`, `X-Forwarded-Uri: ${uri}`, `X-Forwarded-Host: ${host}`]
  }),
  Envoy: (method, uri, host) => ({ method, target: `/forward-auth${uri}`, host, body: null })
}

const nginx = (method = "POST", uri = "/mcp", lines: ReadonlyArray<string> = []): FixtureRequest => ({
  method: "GET",
  target: "/forward-auth",
  lines: [`X-Original-URI: ${uri}`, `X-Original-Method: ${method}`, ...lines]
})

const named = (...lines: ReadonlyArray<string>): FixtureRequest => ({ method: "GET", target: "/forward-auth", lines })

const limited = (input: GatewayConfigInput["rate_limits"]): Pick<GatewaySettings, "rateLimits"> => {
  const { rateLimits } = settingsOfInput({
    static_tokens: "dev-token:c:s:",
    server_url: "http://127.0.0.1:9/mcp",
    rate_limits: input
  })
  return { rateLimits }
}

const modern = (method: string, name?: string) => [
  "MCP-Protocol-Version: 2026-07-28",
  `Mcp-Method: ${method}`,
  ...(name === undefined ? [] : [`Mcp-Name: ${name}`])
]

const started = Effect.fnUntraced(function*(overrides: Partial<GatewaySettings> = {}) {
  const fixture = yield* start(overrides)
  const ask = (request: FixtureRequest) =>
    Effect.map(fixture.send(request), ({ responses: [response] }) => response ?? assert.fail("no response"))
  return { ...fixture, ask, statusOf: (request: FixtureRequest) => Effect.map(ask(request), ({ status }) => status) }
})

describe("the decision point for proxies", () => {
  it.live("FA-01 says who calls, with an empty field where there is nothing to say, and forwards nothing", () =>
    Effect.gen(function*() {
      const { ask, upstream } = yield* started()
      for (const [proxy, question] of Object.entries(dialects)) {
        for (const method of ["POST", "GET", "DELETE"]) {
          const response = yield* ask(question(method, "/mcp?a=b", "127.0.0.1"))
          assert.strictEqual(response.status, 200, `${proxy} ${method}: ${response.text}`)
          assert.strictEqual(response.text, "")
          assert.deepStrictEqual(response.headers("x-auth-user-id"), ["alice"])
          assert.deepStrictEqual(response.headers("x-auth-email"), ["alice@example.com"])
          assert.deepStrictEqual(response.headers("cache-control"), ["no-store"])
        }
      }
      const bare = yield* ask({ ...nginx(), authorization: "Bearer bare" })
      for (const field of identityFields) assert.lengthOf(bare.headers(field), 1, field)
      assert.deepStrictEqual(bare.headers("x-auth-email"), [""])
      assert.deepStrictEqual(bare.headers("x-auth-scopes"), [""])
      assert.isEmpty(upstream.requests())
    }))

  it.live("FA-02 rejects with the very response that the gateway itself would give", () =>
    Effect.gen(function*() {
      const { ask, upstream } = yield* started({ requiredScopes: ["mcp:read"] })
      const rejected: ReadonlyArray<
        readonly [uri: string, authorization: string | null, lines: ReadonlyArray<string>]
      > = [
        ["/mcp", null, []],
        ["/mcp", "Bearer wrong", []],
        ["/mcp", "Basic YTpi", []],
        ["/mcp", "Bearer bare", []],
        ["/mcp?access_token=alice", null, []],
        ["/mcp/%2e%2e/x", "Bearer alice", []],
        ["/elsewhere", "Bearer alice", []],
        ["/mcp", "Bearer alice", ["Authorization: Bearer alice"]]
      ]
      for (const [uri, authorization, lines] of rejected) {
        const direct = yield* ask({ target: uri, authorization, lines })
        assert.isAtLeast(direct.status, 400)
        for (const [proxy, question] of Object.entries(dialects)) {
          const request = question("POST", uri, "127.0.0.1")
          const response = yield* ask({ ...request, authorization, lines: [...request.lines ?? [], ...lines] })
          const seen = ({ headers, status, text }: typeof response) => [status, headers("www-authenticate"), text]
          assert.deepStrictEqual(seen(response), seen(direct), `${proxy} ${uri} ${authorization}`)
        }
      }
      assert.isEmpty(upstream.requests())
    }))

  it.live("FA-03 is not there unless it was asked for, and responds to trusted proxies alone", () =>
    Effect.gen(function*() {
      const off = yield* started({ forwardAuth: false })
      assert.strictEqual(yield* off.statusOf(nginx()), 404)
      const untrusted = yield* started({ trustedProxies: { _tag: "None" } })
      assert.strictEqual(yield* untrusted.statusOf(nginx()), 403)
      const [entry] = untrusted.logs.entries().slice(-1)
      assert.include(String(entry), "MCP_TRUSTED_PROXIES")
      // Other requests of the peer are what they were.
      assert.strictEqual(yield* untrusted.statusOf({}), 200)
    }))

  it.live("FA-04 rejects a question that could be read in two ways, no matter who sent the second field", () =>
    Effect.gen(function*() {
      const { statusOf } = yield* started()
      const good = ["X-Forwarded-Method: POST", "X-Forwarded-Uri: /mcp"]
      assert.strictEqual(yield* statusOf(named(...good)), 200)
      assert.strictEqual(yield* statusOf(named(...good, "X-Original-URI: /mcp", "X-Original-Method: POST")), 200)
      for (
        const lines of [
          [],
          ["X-Forwarded-Uri: /mcp"],
          ["X-Forwarded-Method: POST"],
          [...good, "X-Original-URI: /healthz"],
          [...good, "X-Original-Method: OPTIONS"],
          [...good, "X-Forwarded-Uri: /healthz"],
          [...good, "X-Original-URL: http://127.0.0.1/healthz"],
          [...good, "X-Original-URL: /mcp"],
          ["X-Forwarded-Method: post", "X-Forwarded-Uri: /mcp"],
          ["X-Forwarded-Method: POST", "X-Forwarded-Uri: mcp"]
        ]
      ) assert.strictEqual(yield* statusOf(named(...lines)), 400, lines.join())
      // Envoy's path, and a field that its client has sent.
      for (const line of ["X-Forwarded-Uri: /healthz", "X-Original-Method: OPTIONS"]) {
        assert.strictEqual(yield* statusOf({ target: "/forward-auth/mcp", body: null, lines: [line] }), 400, line)
      }
      assert.strictEqual(yield* statusOf({ ...nginx(), target: "/forward-authx" }), 404)
      assert.strictEqual(yield* statusOf({ ...nginx(), target: "/forward-auth?x" }), 200)
    }))

  it.live("FA-05 decides about no path of the gateway's own, and lets no preflight through", () =>
    Effect.gen(function*() {
      const { statusOf } = yield* started()
      for (
        const path of [
          "/healthz",
          "/readyz",
          "/.well-known/oauth-protected-resource/mcp",
          "/.well-known/oauth-authorization-server",
          "/forward-auth",
          "/"
        ]
      ) assert.strictEqual(yield* statusOf(nginx("GET", path)), 404, path)
      const preflight = nginx("OPTIONS", "/mcp", ["Origin: http://localhost", "Access-Control-Request-Method: POST"])
      assert.strictEqual(yield* statusOf({ ...preflight, authorization: null }), 401)
      assert.strictEqual(yield* statusOf(preflight), 405)
    }))

  it.live("FA-06 applies rules as far as the head of a request says what it asks for", () =>
    Effect.gen(function*() {
      const rules = ruled({
        rules: [
          { methods: ["tools/list"], allow: "anyone" },
          { tools: ["delete_*"], scopes: ["mcp:delete"] },
          { tools: ["pay"], when: "!has(message.arguments.amount) || message.arguments.amount < 100" },
          { tools: ["*"], scopes: ["mcp:read"] }
        ],
        default_rule: "deny"
      })
      const strict = yield* started(rules)
      const lenient = yield* started({ ...rules, forwardAuthUnread: "allow" })
      const cases: ReadonlyArray<readonly [lines: ReadonlyArray<string>, strict: number, lenient: number]> = [
        [modern("tools/list"), 200, 200],
        [modern("tools/call", "read_note"), 200, 200],
        [modern("tools/call", "delete_note"), 403, 403],
        [modern("prompts/list"), 403, 403],
        // The operations of these are only in the body.
        [modern("tools/call", "pay"), 403, 200],
        [modern("tools/call"), 403, 200],
        [modern("completion/complete"), 403, 200],
        [[], 403, 200],
        [["MCP-Protocol-Version: 2025-11-25", "Mcp-Method: tools/list"], 403, 200],
        [[...modern("tools/list"), "Mcp-Method: tools/call"], 403, 200]
      ]
      for (const [lines, ofStrict, ofLenient] of cases) {
        assert.strictEqual(yield* strict.statusOf(nginx("POST", "/mcp", lines)), ofStrict, lines.join())
        assert.strictEqual(yield* lenient.statusOf(nginx("POST", "/mcp", lines)), ofLenient, lines.join())
      }
      const anonymous = (lines: ReadonlyArray<string>) => ({ ...nginx("POST", "/mcp", lines), authorization: null })
      for (const { ask, statusOf } of [strict, lenient]) {
        const listed = yield* ask(anonymous(modern("tools/list")))
        assert.strictEqual(listed.status, 200)
        assert.deepStrictEqual(listed.headers("x-auth-user-id"), [""])
        assert.strictEqual(yield* statusOf(anonymous(modern("tools/call", "read_note"))), 401)
        assert.strictEqual(yield* statusOf(anonymous([])), 401)
        assert.strictEqual(yield* statusOf({ ...nginx("GET"), authorization: null }), 401)
      }
      const lacking = yield* strict.ask(nginx("POST", "/mcp", modern("tools/call", "delete_note")))
      assert.include(lacking.headers("www-authenticate")[0], `error="insufficient_scope"`)
      assert.include(lacking.headers("www-authenticate")[0], `scope="mcp:delete"`)
    }))

  it.live("FA-07 counts each question as a message, and says when to try again", () =>
    Effect.gen(function*() {
      const { ask, statusOf } = yield* started(limited([{ by: ["subject"], limit: 2, window: 3600 }]))
      assert.strictEqual(yield* statusOf(nginx()), 200)
      assert.strictEqual(yield* statusOf(nginx("POST", "/mcp", modern("tools/list"))), 200)
      const third = yield* ask(nginx())
      assert.strictEqual(third.status, 429)
      assert.lengthOf(third.headers("retry-after"), 1)
      assert.strictEqual(yield* statusOf({ ...nginx(), authorization: "Bearer bare" }), 200)
    }))

  it.live("FA-08 leaves one log entry for each decision, with the path and the caller that it is about", () =>
    Effect.gen(function*() {
      const { ask, logs } = yield* started()
      yield* ask(nginx("POST", "/mcp?state=secret"))
      const entries = logs.entries().map(String).filter((entry) => entry.includes("request"))
      assert.lengthOf(entries, 1)
      assert.include(entries[0], `"/mcp"`)
      assert.notInclude(entries[0], "secret")
      assert.include(entries[0], "forward_auth")
    }))

  it.live("FA-10 asks the server that has the path and the host of the request", () =>
    Effect.gen(function*() {
      const tokens = ["notes", "files"].map((scope) => `${scope}-token:c:${scope}:${scope}`).join(";")
      const { settings } = yield* severalServers([
        { name: "notes", path: "/notes/mcp", required_scopes: ["notes"] },
        { name: "files", path: "/mcp", host: "files.example.com", required_scopes: ["files"] }
      ], { static_tokens: tokens, forward_auth: true, trusted_proxies: "127.0.0.0/8" })
      const origins = [(yield* startGateway(settings)).origin, yield* startEffectGateway(settings, Logger.layer([]))]
      for (const origin of origins) {
        for (const question of Object.values(dialects)) {
          const statusOf = (uri: string, host: string, token: string) => {
            const { lines = [], method, target, host: asked } = question("POST", uri, host)
            const head = [`${method} ${target} HTTP/1.1`, `Host: ${asked}`, `Authorization: Bearer ${token}`, ...lines]
            return Effect.map(rawExchange(origin, rawRequest(head)), ({ responses: [response] }) => response?.status)
          }
          assert.strictEqual(yield* statusOf("/notes/mcp", "mcp.example.com", "notes-token"), 200)
          assert.strictEqual(yield* statusOf("/notes/mcp", "mcp.example.com", "files-token"), 403)
          assert.strictEqual(yield* statusOf("/mcp", "files.example.com", "files-token"), 200)
          assert.strictEqual(yield* statusOf("/mcp", "files.example.com", "notes-token"), 403)
          assert.strictEqual(yield* statusOf("/mcp", "mcp.example.com", "files-token"), 404)
        }
      }
    }))

  it.live("FA-09 the gateway forwards its own requests as before", () =>
    Effect.gen(function*() {
      const { forwarded } = yield* started()
      const seen = yield* forwarded({ body: ping, lines: ["X-Original-URI: /healthz"] })
      assert.deepStrictEqual(seen.headers("x-auth-user-id"), ["alice"])
    }))
})
