import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { staticProvider, staticToken } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import * as responses from "../support/upstreamResponses.ts"

const token = (text: string, subject: string, clientId = "client") =>
  staticToken(text, { subject, clientId, scopes: [] })

const key = (letter: string) => Redacted.make(letter.repeat(32))

/** A gateway that binds sessions, with tokens of several callers, before a server whose every response names its session. */
const start = Effect.fnUntraced(function*(overrides: Partial<GatewaySettings> = {}) {
  const fixture = yield* GatewayFixture.over(({ origin }) =>
    Effect.succeed({
      settings: settings(`${origin}/mcp`, {
        bindSessions: true,
        providers: [staticProvider([
          token("alice", "alice"),
          token("alice-again", "alice"),
          token("alice-elsewhere", "alice", "other-client"),
          token("mallory", "mallory")
        ])],
        ...overrides
      }),
      token: "alice"
    })
  )
  const { reset, send, upstream } = fixture
  const respondIn = (session: string) =>
    upstream.respondWith(
      responses.respond({ headers: { "content-type": "application/json", "mcp-session-id": session }, body: "{}" })
    )
  return {
    ...fixture,
    respondIn,
    /** Begins a session; returns its id as the client gets it. */
    begin: Effect.fnUntraced(function*(session: string) {
      yield* reset
      yield* respondIn(session)
      const { responses: [response] } = yield* send()
      assert.strictEqual(response?.status, 200)
      return response?.headers("mcp-session-id")[0] ?? assert.fail("no session")
    }),
    use: Effect.fnUntraced(function*(session: string, bearer: string, method = "POST") {
      const { responses: [response] } = yield* send({
        method,
        authorization: `Bearer ${bearer}`,
        lines: [`Mcp-Session-Id: ${session}`]
      })
      return response ?? assert.fail("no response")
    })
  }
})

// Visible ASCII is what the specification allows; a blank is what servers have sent.
const ids = ["1868a90c-5f3b", "~!#$%&'()*+,-./:;<=>?@[]^_`{|}", "a b", "x".repeat(4000), "a.b.c"]

describe("sessions", () => {
  it.live("an id that this gateway did not issue goes to the MCP server until a session begins here", () =>
    Effect.gen(function*() {
      const { begin, reset, upstream, use } = yield* start()
      yield* reset
      const foreign = yield* use("from-elsewhere", "alice")
      assert.strictEqual(foreign.status, 200)
      assert.deepStrictEqual(upstream.requests()[0]?.headers("mcp-session-id"), ["from-elsewhere"])
      // An id in the form of a sealed one never reaches the server.
      assert.strictEqual((yield* use(`${"A".repeat(43)}.from-elsewhere`, "alice")).status, 404)

      yield* begin("server-session")
      yield* reset
      assert.strictEqual((yield* use("server-session", "mallory")).status, 404)
      assert.strictEqual((yield* use("from-elsewhere", "alice")).status, 404)
      assert.isEmpty(upstream.requests())
    }))

  it.live("with a configured key only sealed ids reach the MCP server", () =>
    Effect.gen(function*() {
      const { reset, upstream, use } = yield* start({ sessionKeys: [key("k")] })
      yield* reset
      assert.strictEqual((yield* use("from-elsewhere", "alice")).status, 404)
      assert.isEmpty(upstream.requests())
    }))

  it.live("a caller keeps its session, with its next token too, and the MCP server sees its own id", () =>
    Effect.gen(function*() {
      const { begin, upstream, use } = yield* start()
      for (const id of ids) {
        const known = yield* begin(id)
        assert.notStrictEqual(known, id)
        for (const [method, bearer] of [["POST", "alice"], ["GET", "alice-again"], ["DELETE", "alice"]] as const) {
          const response = yield* use(known, bearer, method)
          assert.strictEqual(response.status, 200, `${method} ${id} as ${known}`)
          assert.deepStrictEqual(response.headers("mcp-session-id"), [known])
          const request = upstream.requests().at(-1)
          assert.deepStrictEqual([request?.method, request?.headers("mcp-session-id")], [method, [id]])
        }
      }
    }))

  it.live("another caller's session gets 404 with any method, and the log says why", () =>
    Effect.gen(function*() {
      const { begin, logs, upstream, use } = yield* start()
      const known = yield* begin("session-of-alice")
      const others = [
        [known, "mallory"],
        [known, "alice-elsewhere"],
        ["session-of-alice", "alice"],
        [`${known}x`, "alice"],
        [known.slice(1), "alice"],
        [`${known.slice(0, 43)}.`, "alice"],
        [`${known}, ${known}`, "alice"],
        [`${"A".repeat(43)}.session-of-alice`, "mallory"]
      ] as const
      for (const method of ["POST", "GET", "DELETE"]) {
        for (const [session, bearer] of others) {
          const response = yield* use(session, bearer, method)
          assert.deepStrictEqual([response.status, JSON.parse(response.text).error], [404, "not_found"], session)
          assert.include(logs.entries().at(-1), "MCP_SESSION_KEY")
        }
      }
      assert.lengthOf(upstream.requests(), 1)
      assert.strictEqual((yield* use(known, "alice")).status, 200)
    }))

  it.live("no other spelling of the field reaches the MCP server", () =>
    Effect.gen(function*() {
      const { forwarded } = yield* start()
      const request = yield* forwarded({
        lines: ["Mcp_Session_Id: stolen", "MCP-Session_ID: stolen", "Mcp-Session-Ident: 1"]
      })
      assert.notInclude(request.rawHeaders.join(), "stolen")
      assert.deepStrictEqual(request.headers("mcp-session-ident"), ["1"])
    }))

  it.live("gateways with the same MCP_SESSION_KEY, or the previous one, accept each other's sessions; without one they do not", () =>
    Effect.gen(function*() {
      const first = yield* start({ sessionKeys: [key("a")] })
      const known = yield* first.begin("s")
      const later = [
        [{ sessionKeys: [key("a")] }, 200],
        [{ sessionKeys: [key("b"), key("a")] }, 200],
        [{ sessionKeys: [key("b")] }, 404],
        [{}, 404]
      ] as const
      for (const [overrides, status] of later) {
        const gateway = yield* start(overrides)
        yield* gateway.respondIn("s")
        assert.strictEqual((yield* gateway.use(known, "alice")).status, status)
      }
    }))

  it.live("MCP_BIND_SESSIONS=false and MCP_AUTH_ENABLED=false leave ids as they are", () =>
    Effect.gen(function*() {
      for (const overrides of [{ bindSessions: false }, { authEnabled: false, providers: [] }]) {
        const { begin, upstream, use } = yield* start(overrides)
        assert.strictEqual(yield* begin("s"), "s")
        assert.strictEqual((yield* use("t", "mallory")).status, 200)
        assert.deepStrictEqual(upstream.requests().at(-1)?.headers("mcp-session-id"), ["t"])
      }
    }))
})
