/** Who gets through to the MCP server: nobody without a good token. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { either, oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, anyVerdict, good, outage, refused, type Verdict } from "./caller.ts"
import { anyMethod, message, ping } from "./clientRequest.ts"
import { assertNotForwarded, assertOwnError } from "./ownError.ts"
import { runApp } from "./RunningApp.ts"
import { anySettings, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { anyUpstream, ordinary } from "./upstream.ts"

const anyone = { settings: anySettings, caller: anyCaller, upstream: anyUpstream }

const forwardedMethods: ReadonlyArray<string> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

export const admission: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-54",
      title: "MUST NOT forward anything, whatever its method, before the token is found good and has the scopes",
      source: "MCP 2025-11-25, authorization, Token Handling; RFC 6750, section 3.1",
      runs: 100
    },
    {
      ...anyone,
      settings: settingsWith({ required_scopes: Arbitrary.Constant("mcp:read") }),
      verdict: either(refused, outage, Arbitrary.Constant<Verdict>({ _tag: "Unscoped" })),
      method: anyMethod,
      target: oneOf(["{mcp}", "{mcp}/tools", "{mcp}?a=/healthz", "{mcp}?/.well-known/oauth-protected-resource"]),
      agent: oneOf(["kube-probe/1.30", "GoogleHC/1.0", "Mozilla/5.0"])
    },
    Effect.fnUntraced(function*({ agent, method, target, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const { relayed, status } = yield* app.send({ ...message({ "user-agent": agent }, ping, target), method })
      const { verdict: { _tag: verdict } } = circumstances
      assert.strictEqual(status, verdict === "Refused" ? 401 : verdict === "Unscoped" ? 403 : 500)
      assert.isFalse(relayed)
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-55",
      title: "MUST refuse a foreign Origin with 403 before it looks at the token",
      source: "MCP 2025-11-25, transports, Security Warning",
      runs: 60
    },
    {
      ...anyone,
      settings: settingsWith({ allowed_origins: oneOf([undefined, ["https://app.example"]]) }),
      verdict: anyVerdict,
      origin: oneOf([
        "https://evil.example",
        "null",
        "https://app.example.evil.example",
        "https://app.example@evil.example",
        "https://app.example:8443",
        "https://APP.example",
        "https://app.example/",
        "https://app.example, https://evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "file://"
      ])
    },
    Effect.fnUntraced(function*({ origin, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const answer = yield* app.send(message({ origin }))
      assertOwnError(app, answer, { status: 403, error: "access_denied" })
      assert.isEmpty(app.verified, "the verifier was asked")
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-56",
      title: "MUST answer 500 server_error when nobody can say whether a token is good: never 401, with Retry-After",
      source: "RFC 9110, sections 10.2.3 and 15.6.1; RFC 6750, section 3.1 (401 means the token is bad)"
    },
    { ...anyone, verdict: outage },
    Effect.fnUntraced(function*(circumstances) {
      const app = yield* runApp(circumstances)
      const answer = yield* app.send(message())
      assertOwnError(app, answer, { status: 500, error: "server_error" })
      if (circumstances.verdict._tag === "Unavailable") {
        assert.match(answer.headers.get("retry-after") ?? "", /^[1-9][0-9]*$/)
      }
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-57",
      title: "MUST forward the methods that HTTP gives a meaning here, and answer others 405 with those that it knows",
      source: "RFC 9110, sections 9.3 and 15.5.6",
      runs: 30
    },
    { ...anyone, verdict: Arbitrary.Constant(good), upstream: Arbitrary.Constant(ordinary), method: anyMethod },
    Effect.fnUntraced(function*({ method, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const answer = yield* app.send({ ...message(), method })
      if (forwardedMethods.includes(method)) {
        assert.deepStrictEqual([answer.relayed, app.forwarded.map(({ method }) => method)], [true, [method]])
      } else {
        assertOwnError(app, answer, { status: 405, error: "method_not_allowed" })
        assert.includeMembers((answer.headers.get("allow") ?? "").split(", "), [...forwardedMethods])
        assertNotForwarded(app)
      }
    })
  )
]
