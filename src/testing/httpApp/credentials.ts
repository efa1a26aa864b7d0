/** Where a token may be in a request, and in which form. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, good } from "./caller.ts"
import { message, ping } from "./clientRequest.ts"
import { assertNotForwarded, assertOwnError, assertVerified } from "./ownError.ts"
import { runApp } from "./RunningApp.ts"
import { anySettings } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { anyUpstream, ordinary } from "./upstream.ts"

/** The token itself is valid in all of these cases; only the way it is sent is wrong. */
const goodToken = {
  settings: anySettings,
  caller: anyCaller,
  upstream: anyUpstream,
  verdict: Arbitrary.Constant(good)
}

const unauthorized = { "content-type": "application/json" }

export const credentials: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-50",
      title: "MUST forward a message with a valid token once, to the configured path and with its query",
      source: "RFC 6750, section 2.1; RFC 9110, section 11.1 (the scheme's case does not matter)"
    },
    {
      ...goodToken,
      upstream: Arbitrary.Constant(ordinary),
      authorization: oneOf(["Bearer {token}", "bearer {token}", "BEARER   {token}"]),
      rest: oneOf(["", "/tools", "/a/b%20c?x=%2f&y", "?cursor=1"])
    },
    Effect.fnUntraced(function*({ authorization, rest, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const { gatewayUrl } = app.settings
      const response = yield* app.send(message({ authorization }, ping, `{mcp}${rest}`))
      assert.deepStrictEqual([response.status, response.relayed], [200, true], response.text)
      assert.lengthOf(app.forwarded, 1)
      assertVerified(app, [circumstances.caller.token])
      const { pathname } = new URL(gatewayUrl)
      assert.strictEqual(app.forwarded[0]?.method, "POST")
      assert.strictEqual(app.forwarded[0]?.target, pathname + rest)
    })
  ),

  requirement(
    {
      id: "APP-51",
      title: "MUST NOT take a token from anywhere but the Authorization field",
      source: "RFC 6750, section 2; MCP 2025-11-25, authorization, Token Requirements",
      runs: 90
    },
    {
      ...goodToken,
      name: oneOf([
        "cookie",
        "proxy-authorization",
        "x-access-token",
        "x-authorization",
        "authorization-",
        "x-auth-token",
        "sec-websocket-protocol"
      ]),
      value: oneOf(["{token}", "Bearer {token}", "access_token={token}"]),
      body: oneOf([ping, "access_token={token}", `{"access_token":"{token}","jsonrpc":"2.0","id":1,"method":"ping"}`])
    },
    Effect.fnUntraced(function*({ body, name, value, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const headers = { ...unauthorized, [name]: value }
      const response = yield* app.send({ method: "POST", target: "{mcp}", headers, body })
      assertOwnError(app, response, { status: 401, error: "unauthorized", missing: true })
      assertVerified(app, [])
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-52",
      title: "MUST reject credentials that are not a Bearer token with 401, without calling the verifier",
      source: "RFC 6750, sections 2.1 and 3.1",
      runs: 50
    },
    {
      ...goodToken,
      authorization: oneOf([
        "Basic {token}",
        "DPoP {token}",
        "Token {token}",
        "{token}",
        "Bearer",
        "Bearer{token}",
        "Bearer\t{token}",
        "Bearer {token}\u00e9",
        "Bearer \"{token}\"",
        "Bearer {token} x",
        "Bearer {token}%20",
        "Bearer ="
      ])
    },
    Effect.fnUntraced(function*({ authorization, ...circumstances }) {
      const app = yield* runApp(circumstances)
      assertOwnError(app, yield* app.send(message({ authorization })), { status: 401, error: "invalid_token" })
      assertVerified(app, [])
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-53",
      title: "MUST reject several credentials, and a token in the query, with 400 invalid_request",
      source: "RFC 6750, sections 2, 2.3 and 3.1",
      runs: 50
    },
    {
      ...goodToken,
      request: oneOf([
        message({ authorization: "Bearer {token}, Bearer {token}" }),
        message({ authorization: "Bearer {token}, Basic eDp5" }),
        message({ authorization: "Bearer other, bearer {token}" }),
        message({}, ping, "{mcp}?access_token={token}"),
        message({}, ping, "{mcp}?a=b&access%5ftoken=other"),
        message({}, ping, "{mcp}/tools?access_token"),
        { ...message({}, ping, "{mcp}?access_token={token}"), headers: unauthorized }
      ])
    },
    Effect.fnUntraced(function*({ request, ...circumstances }) {
      const app = yield* runApp(circumstances)
      assertOwnError(app, yield* app.send(request), { status: 400, error: "invalid_request" })
      assertVerified(app, [])
      assertNotForwarded(app)
    })
  )
]
