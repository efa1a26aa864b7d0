/** Sessions of the MCP server, which belong to the caller that created them. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, good } from "./caller.ts"
import { message } from "./clientRequest.ts"
import { assertOwnError } from "./ownError.ts"
import { runApp } from "./RunningApp.ts"
import { anySettings, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { respondWith } from "./upstream.ts"

const field = "mcp-session-id"

const session = oneOf(["1868a90c-5f", "~!#$%&'*+", "a.b", "x".repeat(2000)])

/** Messages, the stream of the server's own messages, and the end of the session. */
const anyMethodOfSession = oneOf(["POST", "GET", "DELETE"])

const admitted = { caller: anyCaller, verdict: Arbitrary.Constant(good) }

const beginning = (id: string) => respondWith(200, "{}", { "content-type": "application/json", [field]: id })

const key = "the-key-of-all-replicas-000000000000"

export const sessions: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-90",
      title: "MUST give the MCP server its own session id in the requests of that session's caller",
      source: "MCP 2025-11-25, transports, Session Management"
    },
    {
      ...admitted,
      settings: settingsWith({ session_key: oneOf([undefined, key]) }),
      session,
      other: anyCaller,
      method: anyMethodOfSession
    },
    Effect.fnUntraced(function*({ method, other, session, ...circumstances }) {
      const app = yield* runApp({ ...circumstances, others: [other], upstream: beginning(session) })
      const known = (yield* app.send(message())).headers.get(field) ?? assert.fail("no session")
      assert.match(known, /^[\x21-\x7e]+$/)
      const again = yield* app.send({ ...message({ [field]: known }), method })
      assert.deepStrictEqual([again.relayed, again.headers.get(field)], [true, known])
      const stolen = yield* app.send({ ...message({ [field]: known }), method }, other)
      assertOwnError(app, stolen, { status: 404, error: "not_found" })
      assert.deepStrictEqual(app.forwarded.map(({ headers }) => headers[field]), [undefined, session])
    })
  ),

  requirement(
    {
      id: "APP-91",
      title: "MUST respond 404 to a session id of another caller, and forward nothing",
      source: "MCP 2025-11-25, transports, Session Management; security best practices, Session Hijacking",
      runs: 40
    },
    {
      ...admitted,
      settings: settingsWith({ session_key: Arbitrary.Constant(key) }),
      session,
      method: anyMethodOfSession,
      spoil: oneOf<(known: string, session: string) => string>([
        (known) => known,
        (_, session) => session,
        (known, session) => `${known.slice(0, -session.length)}other`,
        (known) => `${known.startsWith("A") ? "B" : "A"}${known.slice(1)}`,
        (known) => `${known}x`,
        (known) => known.slice(0, 43),
        (known) => `${known}, ${known}`
      ])
    },
    Effect.fnUntraced(function*({ method, session, spoil, ...circumstances }) {
      const upstream = beginning(session)
      const app = yield* runApp({ ...circumstances, upstream })
      const known = (yield* app.send(message())).headers.get(field) ?? assert.fail("no session")
      const named = spoil(known, session)
      const { caller } = circumstances
      // An unchanged session id is used by another caller.
      const asked = named === known
        ? yield* runApp({ ...circumstances, caller: { ...caller, subject: `not ${caller.subject}` }, upstream })
        : app
      const before = asked.forwarded.length
      const response = yield* asked.send({ ...message({ [field]: named }), method })
      assertOwnError(asked, response, { status: 404, error: "not_found" })
      assert.lengthOf(asked.forwarded, before)
    })
  ),

  requirement(
    {
      id: "APP-92",
      title: "MUST NOT forward a session id in another spelling of its field",
      source: "RFC 3875, section 4.1.18"
    },
    {
      ...admitted,
      settings: anySettings,
      name: oneOf(["mcp_session_id", "mcp-session_id", "mcp.session.id", "mcp-session-id_"])
    },
    Effect.fnUntraced(function*({ name, ...circumstances }) {
      const app = yield* runApp({ ...circumstances, upstream: beginning("s") })
      const { relayed } = yield* app.send(message({ [name]: "session-of-alice" }))
      assert.isTrue(relayed)
      assert.notInclude(JSON.stringify(app.forwarded), "session-of-alice")
    })
  )
]
