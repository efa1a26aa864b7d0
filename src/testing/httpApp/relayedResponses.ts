/** The responses of the MCP server, as clients get them. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, good } from "./caller.ts"
import { message } from "./clientRequest.ts"
import { requiredScopes } from "./fixture.ts"
import { assertOwnError, readChallenge } from "./ownError.ts"
import { runApp } from "./RunningApp.ts"
import { anySettings, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { misleading, respondWith, type UpstreamBehaviour } from "./upstream.ts"

const admitted = { settings: anySettings, caller: anyCaller, verdict: Arbitrary.Constant(good) }

const kept = Arbitrary.all({
  "content-type": oneOf(["application/json", "text/event-stream", "text/plain; charset=utf-8"]),
  "mcp-session-id": oneOf(["1868a90c", "~!#$%&'*+"]),
  "x-kept": oneOf(["", "a, b", "\u00e9"]),
  "set-cookie": oneOf(["a=1; Path=/; HttpOnly", "a=2; SameSite=Lax"]),
  "cache-control": oneOf(["no-cache", "private, max-age=60"])
})

const dropped = {
  "keep-alive": "timeout=5",
  "proxy-authenticate": "Basic",
  "proxy-connection": "keep-alive",
  trailer: "x-checksum",
  upgrade: "h2c",
  "access-control-allow-credentials": "true",
  "access-control-max-age": "1",
  "www-authenticate": "Bearer realm=\"inner\""
}

const body = oneOf([`{"jsonrpc":"2.0","id":9007199254740993,"result":{"a":1.10}}`, "data: {}\n\n: ping\n\n", "\u5c71"])

export const relayedResponses: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-80",
      title: "MUST relay a response unchanged, without hop-by-hop fields, CORS fields and challenges",
      source: "RFC 9110, section 7.6.1; Fetch, section 3.3.3",
      runs: 40
    },
    {
      ...admitted,
      settings: settingsWith({ bind_sessions: Arbitrary.Constant(false) }),
      status: oneOf([200, 201, 400, 404, 409, 429, 500, 503]),
      fields: kept,
      body,
      streamed: oneOf([true, false])
    },
    Effect.fnUntraced(function*({ body, fields, status, streamed, ...admitted }) {
      const origin = "https://upstream.example"
      const app = yield* runApp({
        ...admitted,
        upstream: respondWith(
          status,
          body,
          {
            ...fields,
            ...dropped,
            connection: "close, X-Named",
            "x-named": "1",
            vary: "Accept, X-Tenant",
            "access-control-allow-origin": origin
          },
          streamed
        )
      })
      const response = yield* app.send(message())
      assert.deepStrictEqual([response.relayed, response.status, response.text], [true, status, body])
      for (const [name, value] of Object.entries(fields)) assert.strictEqual(response.headers.get(name), value)
      for (const name of [...Object.keys(dropped), "connection", "x-named"]) {
        assert.isFalse(response.headers.has(name), name)
      }
      assert.notStrictEqual(response.headers.get("access-control-allow-origin"), origin)
      // The gateway may add fields on which its own part of the response depends.
      const vary = (response.headers.get("vary") ?? "").toLowerCase().split(/\s*,\s*/)
      assert.includeMembers(vary, ["accept", "x-tenant"])
    })
  ),

  requirement(
    {
      id: "APP-81",
      title: "MUST mark a response no-store unless the MCP server allows caches to keep it",
      source: "RFC 9111, section 3.5"
    },
    { ...admitted, status: oneOf([200, 202, 404]) },
    Effect.fnUntraced(function*({ status, ...admitted }) {
      const app = yield* runApp({ ...admitted, upstream: respondWith(status) })
      const response = yield* app.send(message())
      assert.deepStrictEqual([response.relayed, response.status, response.text], [true, status, ""])
      assert.strictEqual(response.headers.get("cache-control"), "no-store")
    })
  ),

  requirement(
    {
      id: "APP-82",
      title:
        "MUST respond 502 when the MCP server redirects or asks for credentials, without its Location or challenge",
      source: "RFC 9728, section 5.1; MCP 2025-11-25, authorization, Protected Resource Metadata",
      runs: 40
    },
    { ...admitted, upstream: misleading },
    Effect.fnUntraced(function*(circumstances) {
      const app = yield* runApp(circumstances)
      const response = yield* app.send(message())
      assertOwnError(app, response, { status: 502, error: "server_error" })
      assert.isFalse(response.headers.has("location"))
      assert.lengthOf(app.forwarded, 1, "a redirection was followed")
    })
  ),

  requirement(
    {
      id: "APP-84",
      title: "MUST pass on the scopes that the MCP server asks for, in a challenge of its own",
      source: "RFC 6750, section 3.1; MCP 2025-11-25, authorization, Scope Challenge Handling",
      runs: 40
    },
    {
      ...admitted,
      status: oneOf([401, 403]),
      challenge: oneOf([
        (parameters: string) => `Bearer ${parameters}`,
        (parameters: string) => `bearer realm="a, Bearer b", ${parameters}`,
        (parameters: string) => `Basic realm="inner", BEARER ${parameters}`
      ])
    },
    Effect.fnUntraced(function*({ challenge, status, ...admitted }) {
      const parameters = "error=\"insufficient_scope\", scope=\"files:read files:write\", " +
        "resource_metadata=\"https://evil.example/.well-known/oauth-protected-resource\""
      const app = yield* runApp({
        ...admitted,
        upstream: respondWith(status, "{}", { "www-authenticate": challenge(parameters) })
      })
      const response = yield* app.send(message())
      assertOwnError(app, response, { status: 403, error: "insufficient_scope" })
      const read = readChallenge(response)
      assert.deepStrictEqual((read.get("scope") ?? "").split(" "), [
        "files:read",
        "files:write",
        ...requiredScopes(app.settings)
      ])
      assert.notInclude(read.get("resource_metadata"), "evil.example")
    })
  ),

  requirement(
    {
      id: "APP-83",
      title: "MUST respond 502 when the MCP server is unavailable, 504 when it is late, and 500 on an internal fault",
      source: "RFC 9110, sections 15.6.1, 15.6.3 and 15.6.5"
    },
    {
      ...admitted,
      upstream: oneOf<UpstreamBehaviour>([{ _tag: "Unavailable" }, { _tag: "TimedOut" }, { _tag: "Faulty" }])
    },
    Effect.fnUntraced(function*(circumstances) {
      const app = yield* runApp(circumstances)
      const statuses = { Responds: 200, Scripted: 200, Unavailable: 502, TimedOut: 504, Faulty: 500 }
      const status = statuses[circumstances.upstream._tag]
      assertOwnError(app, yield* app.send(message()), { status, error: "server_error" })
      assert.lengthOf(app.forwarded, 1, "the message was sent again")
    })
  )
]
