/** Rules over real sockets: who may do what without a token, with a token, and with its scopes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { initialize, message, ping, toolCall, toolsList } from "../fixtures/messages.ts"
import { staticProvider, staticToken } from "../fixtures/providers.ts"
import { ruled } from "../fixtures/rules.ts"
import { settings } from "../fixtures/settings.ts"
import { type FixtureRequest, GatewayFixture, textOf } from "../support/GatewayFixture.ts"
import * as responses from "../support/upstreamResponses.ts"

const token = (text: string, scopes: ReadonlyArray<string>) =>
  staticToken(text, { subject: text, clientId: "c", scopes })

/** Public lists, a scoped tool, and nothing that is not named. */
const open = ruled({
  rules: [
    { methods: ["initialize", "tools/list", "ping", "server/discover", "notifications/*"], allow: "anyone" },
    { tools: ["hello"], allow: "anyone" },
    { tools: ["delete_*"], scopes: ["notes:delete"] },
    { tools: ["*"] },
    { prompts: ["*"], resources: ["note:///*"], scopes: ["notes:read"] }
  ],
  default_rule: "deny",
  scope_implies: { "notes:admin": ["notes:delete"], "notes:delete": ["notes:read"] }
})

const start = Effect.fnUntraced(
  function*(overrides: Partial<GatewaySettings> = {}, rules: Partial<GatewaySettings> = open) {
    const fixture = yield* GatewayFixture.over(({ origin }) =>
      Effect.succeed({
        settings: settings(`${origin}/mcp`, {
          providers: [staticProvider([
            token("reader", ["notes:read"]),
            token("admin", ["notes:admin"]),
            token("nothing", []),
            token("other", ["mcp:use"])
          ])],
          ...rules,
          ...overrides
        }),
        token: "nothing"
      })
    )
    const { reset, send, upstream } = fixture
    return {
      ...fixture,
      /** Sends a request to a server that would accept it; returns the response, and the requests at the server. */
      ask: Effect.fnUntraced(
        function*(bearer: string | null, body: string | Uint8Array | null, more: FixtureRequest = {}) {
          yield* reset
          yield* upstream.respondWith(
            responses.respond({
              headers: { "content-type": "application/json", "mcp-session-id": "server-session" },
              body: "{}"
            })
          )
          const authorization = bearer === null ? null : `Bearer ${bearer}`
          const { responses: [response] } = yield* send({ authorization, body, ...more })
          return { response: response ?? assert.fail("no response"), seen: upstream.requests() }
        }
      )
    }
  }
)

type Reply = Effect.Success<ReturnType<Effect.Success<ReturnType<typeof start>>["ask"]>>["response"]

const challengeOf = (response: Reply) =>
  Object.fromEntries(parseChallenge(response.headers("www-authenticate")[0] ?? assert.fail("no challenge")).parameters)

const read = (uri: string) => message("resources/read", `{"uri":"${uri}"}`)

const long = (name: string) =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"text":"${
    "x".repeat(3_000_000)
  }"},"name":"${name}"}}`

const sessionOf = (response: Reply) => response.headers("mcp-session-id")[0] ?? assert.fail("no session")

const codeOf = (response: Reply): unknown => JSON.parse(response.text).error.code

/** Uses a session; returns the status, and asserts what the server got. */
const useWith =
  (ask: Effect.Success<ReturnType<typeof start>>["ask"]) => (bearer: string | null, session: string, body = ping) =>
    Effect.map(ask(bearer, body, { lines: [`Mcp-Session-Id: ${session}`] }), ({ response, seen }) => {
      assert.lengthOf(seen, response.status === 200 ? 1 : 0)
      if (response.status === 200) assert.deepStrictEqual(seen[0]?.headers("mcp-session-id"), ["server-session"])
      return response.status
    })

describe("rules", () => {
  it.live("what anyone may do needs no token, and the server gets no caller", () =>
    Effect.gen(function*() {
      const { ask } = yield* start()
      const spoofed = ["X-Auth-User-Id: admin", "x-auth-scopes: notes:admin", "X_Auth_Email: a@b.c"]
      for (
        const body of [
          initialize,
          toolsList,
          ping,
          toolCall("hello"),
          message("server/discover", "{}"),
          `{"jsonrpc":"2.0","method":"notifications/initialized"}`,
          `[${ping},${toolCall("hello")}]`
        ]
      ) {
        const { response, seen: [seen, second] } = yield* ask(null, body, { lines: spoofed })
        assert.strictEqual(response.status, 200, body)
        assert.isUndefined(second)
        if (seen === undefined) return assert.fail("not sent")
        assert.strictEqual(yield* textOf(seen), body)
        assert.deepStrictEqual(seen.rawHeaders.filter((name) => /^(?:x[-_]auth|authorization)/i.test(name)), [])
      }
    }))

  it.live("what needs a token is 401 without one, with just the scopes of the operation, and the server is not asked", () =>
    Effect.gen(function*() {
      const { ask } = yield* start()
      for (
        const [body, scope] of [
          [toolCall("delete_note"), "notes:delete"],
          [toolCall("other_tool"), undefined],
          [message("prompts/get", `{"name":"p"}`), "notes:read"],
          [read("note:///1"), "notes:read"],
          [message("tools/unknown", "{}"), undefined],
          [`[${ping},${toolCall("delete_note")}]`, "notes:delete"],
          [`[${ping},{"jsonrpc":"2.0","id":1,"result":{}},${message("unknown")}]`, undefined],
          [`{"jsonrpc":"2.0","id":1,"result":{}}`, undefined],
          ["{}", undefined],
          ["", undefined],
          [`{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}`, undefined]
        ] as const
      ) {
        const { response, seen } = yield* ask(null, body)
        assert.strictEqual(response.status, 401, body)
        assert.lengthOf(seen, 0, body)
        assert.deepStrictEqual(JSON.parse(response.text), {
          error: "unauthorized",
          error_description: "Missing authorization header"
        })
        const challenge = challengeOf(response)
        assert.strictEqual(challenge["scope"], scope, body)
        assert.strictEqual(challenge["error"], "unauthorized")
      }
    }))

  it.live("a token that is present is verified, even for what anyone may do", () =>
    Effect.gen(function*() {
      const { ask } = yield* start()
      for (const authorization of ["Bearer wrong", "Bearer", "Basic YTpi"]) {
        const { response, seen } = yield* ask("", ping, { authorization })
        assert.strictEqual(response.status, 401, authorization)
        assert.lengthOf(seen, 0)
        assert.strictEqual(challengeOf(response)["error"], "invalid_token")
      }
    }))

  it.live("a token without the scopes is 403 with just the scopes of the operation; scopes that include them suffice", () =>
    Effect.gen(function*() {
      const { ask } = yield* start()
      for (
        const [bearer, body, scope] of [
          ["nothing", toolCall("delete_note"), "notes:delete"],
          ["reader", toolCall("delete_note"), "notes:delete"],
          ["nothing", read("note:///1"), "notes:read"],
          ["nothing", `[${ping},${read("note:///1")},${toolCall("delete_note")}]`, "notes:read notes:delete"],
          ["admin", toolCall("delete_note"), undefined],
          ["admin", read("note:///1"), undefined],
          ["reader", read("note:///1"), undefined],
          ["nothing", toolCall("other_tool"), undefined],
          ["nothing", `{"jsonrpc":"2.0","id":1,"result":{}}`, undefined]
        ] as const
      ) {
        const { response, seen } = yield* ask(bearer, body)
        assert.strictEqual(response.status, scope === undefined ? 200 : 403, `${bearer} ${body}`)
        assert.lengthOf(seen, scope === undefined ? 1 : 0)
        if (scope === undefined) continue
        assert.strictEqual(challengeOf(response)["error"], "insufficient_scope")
        assert.strictEqual(challengeOf(response)["scope"], scope)
      }
    }))

  it.live("what no rule matches is denied by default; the reason is in the log alone", () =>
    Effect.gen(function*() {
      const { ask, logs } = yield* start()
      for (const body of [message("unknown/method"), read("file:///etc/passwd"), `[${ping},${message("tasks/get")}]`]) {
        const { response, seen } = yield* ask("admin", body)
        assert.strictEqual(response.status, 403, body)
        assert.lengthOf(seen, 0)
        assert.deepStrictEqual(JSON.parse(response.text), {
          error: "access_denied",
          error_description: "Access denied"
        })
        assert.notInclude(response.text + JSON.stringify(response.headers("www-authenticate")), "rule")
        const entry = JSON.stringify(logs.entries().at(-1))
        assert.include(entry, "DeniedByRule")
        assert.include(entry, "no rule matches")
      }
    }))

  it.live("in the JSON-RPC dialect all of it is JSON-RPC errors", () =>
    Effect.gen(function*() {
      const { ask } = yield* start({ errorStyle: "jsonrpc" })
      const missing = yield* ask(null, toolCall("delete_note"))
      assert.deepStrictEqual([missing.response.status, codeOf(missing.response)], [401, -32001])
      assert.strictEqual(challengeOf(missing.response)["scope"], "notes:delete")
      const scopes = yield* ask("nothing", toolCall("delete_note"))
      assert.deepStrictEqual([scopes.response.status, codeOf(scopes.response)], [403, -32003])
      const denied = yield* ask("nothing", message("unknown"))
      assert.deepStrictEqual([denied.response.status, codeOf(denied.response)], [403, -32003])
      assert.strictEqual(JSON.parse(denied.response.text).error.data.error, "access_denied")
    }))

  it.live("standing scopes are asked of every token, and stand in each challenge", () =>
    Effect.gen(function*() {
      const { ask } = yield* start({}, {
        ...open,
        ...ruled({
          rules: [{ methods: ["ping"], allow: "anyone" }, { tools: ["delete_*"], scopes: ["notes:delete", "mcp:use"] }],
          required_scopes: "mcp:use offline_access"
        }),
        requiredScopes: ["mcp:use"]
      })
      assert.strictEqual((yield* ask(null, ping)).response.status, 200)
      assert.strictEqual(
        challengeOf((yield* ask(null, toolCall("delete_x"))).response)["scope"],
        "mcp:use notes:delete"
      )
      assert.strictEqual(
        challengeOf((yield* ask("other", toolCall("delete_x"))).response)["scope"],
        "mcp:use notes:delete"
      )
      assert.strictEqual(challengeOf((yield* ask("reader", ping)).response)["scope"], "mcp:use")
      assert.strictEqual(challengeOf((yield* ask("wrong", ping)).response)["scope"], "mcp:use")
    }))

  it.live("the metadata lists the scopes of rules, and never offline_access", () =>
    Effect.gen(function*() {
      const { send } = yield* start({
        requiredScopes: ["offline_access"],
        scopesSupported: ["offline_access", "notes:read"]
      })
      const document = yield* send({
        method: "GET",
        target: "/.well-known/oauth-protected-resource",
        authorization: null
      })
      assert.deepStrictEqual(JSON.parse(document.responses[0]?.text ?? "").scopes_supported, ["notes:read"])
      const { responses: [response] } = yield* send({ authorization: "Bearer wrong" })
      assert.isUndefined(challengeOf(response ?? assert.fail("no response"))["scope"])
    }))

  it.live("a stream and the end of a session need a token: 405 where anyone may begin a session, else 401", () =>
    Effect.gen(function*() {
      const { ask } = yield* start()
      for (const method of ["GET", "HEAD", "DELETE"]) {
        const without = yield* ask(null, null, { method })
        assert.strictEqual(without.response.status, 405, method)
        assert.deepStrictEqual(without.response.headers("allow"), ["POST, OPTIONS"])
        assert.lengthOf(without.seen, 0)
        const { response, seen } = yield* ask("nothing", null, { method })
        assert.strictEqual(response.status, 200, method)
        assert.lengthOf(seen, 1)
      }
      const lists = yield* start({}, ruled({ rules: [{ methods: ["tools/list"], allow: "anyone" }] }))
      for (const method of ["GET", "DELETE"]) {
        const { response, seen } = yield* lists.ask(null, null, { method })
        assert.strictEqual(response.status, 401, method)
        assert.lengthOf(seen, 0)
      }
    }))

  it.live("a body that the rules cannot read does not reach the server", () =>
    Effect.gen(function*() {
      const { ask } = yield* start()
      for (
        const body of [
          `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1}}`,
          `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"other_tool"}}`,
          `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["other_tool"]}`,
          `{"jsonrpc":"2.0","id":1,"method":["tools/call"],"params":{"name":"other_tool"}}`,
          `[${ping},5]`,
          "not JSON"
        ]
      ) {
        const { response, seen } = yield* ask("admin", body)
        assert.strictEqual(response.status, 400, body)
        assert.lengthOf(seen, 0)
      }
    }))

  it.live("a long body is collected, regardless of its length, and decided as a whole", () =>
    Effect.gen(function*() {
      const { ask } = yield* start()
      const allowed = yield* ask("nothing", long("other_tool"))
      assert.strictEqual(allowed.response.status, 200)
      assert.lengthOf(allowed.seen, 1)
      assert.deepStrictEqual(allowed.seen[0]?.headers("content-length"), [String(long("other_tool").length)])
      for (const [bearer, status] of [["nothing", 403], [null, 401]] as const) {
        const { response, seen } = yield* ask(bearer, long("delete_it"))
        assert.strictEqual(response.status, status)
        assert.lengthOf(seen, 0)
      }
    }))

  it.live("a session that began with a token is closed to requests without one; one that began without is open to both", () =>
    Effect.gen(function*() {
      const { ask } = yield* start()
      const use = useWith(ask)
      const callers = sessionOf((yield* ask("reader", initialize)).response)
      assert.strictEqual(yield* use("reader", callers), 200)
      assert.strictEqual(yield* use(null, callers), 404)
      assert.strictEqual(yield* use("admin", callers), 404)

      const nobodys = sessionOf((yield* ask(null, initialize)).response)
      assert.notStrictEqual(nobodys, "server-session")
      assert.strictEqual(yield* use(null, nobodys), 200)
      assert.strictEqual(yield* use("reader", nobodys, toolCall("other_tool")), 200)

      // An id of the server's own belongs to no caller who could be asked for a token.
      const fresh = yield* start()
      const { response } = yield* fresh.ask(null, ping, { lines: ["Mcp-Session-Id: server-session"] })
      assert.strictEqual(response.status, 404)
    }))

  it.live("a session that began without a token is its first caller's from then on", () =>
    Effect.gen(function*() {
      const { ask } = yield* start()
      const use = useWith(ask)
      const nobodys = sessionOf((yield* ask(null, initialize)).response)
      assert.strictEqual(yield* use("reader", nobodys, toolCall("other_tool")), 200)
      assert.strictEqual(yield* use("reader", nobodys), 200)
      assert.strictEqual(yield* use("admin", nobodys), 404)
      assert.strictEqual(yield* use(null, nobodys), 404)
    }))

  it.live("without rules for anyone a request without a token is rejected on arrival", () =>
    Effect.gen(function*() {
      const { ask } = yield* start({}, ruled({ rules: [{ tools: ["delete_*"], scopes: ["notes:delete"] }] }))
      const { response, seen } = yield* ask(null, toolCall("hello"))
      assert.strictEqual(response.status, 401)
      assert.lengthOf(seen, 0)
      assert.strictEqual((yield* ask("nothing", toolCall("hello"))).response.status, 200)
      assert.strictEqual((yield* ask("nothing", toolCall("delete_x"))).response.status, 403)
    }))
})
