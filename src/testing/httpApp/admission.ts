/** Which requests reach the MCP server: none without an accepted token. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { either, oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, anyVerdict, good, outage, rejected, type Verdict } from "./caller.ts"
import { message, methods, ping } from "./clientRequest.ts"
import { requiredScopes } from "./fixture.ts"
import { assertNotForwarded, assertOwnError, assertVerified } from "./ownError.ts"
import { runApp } from "./RunningApp.ts"
import { anySettings, providers, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { anyUpstream, ordinary } from "./upstream.ts"

const anyone = { settings: anySettings, caller: anyCaller, upstream: anyUpstream }

const forwardedMethods: ReadonlyArray<string> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

export const admission: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-54",
      title: "MUST NOT forward a request of any method before the token is verified and has the required scopes",
      source: "MCP 2025-11-25, authorization, Token Handling; RFC 6750, section 3.1",
      runs: 60
    },
    {
      ...anyone,
      settings: settingsWith({ required_scopes: Arbitrary.Constant("mcp:read") }),
      verdict: either(rejected, rejected, outage, Arbitrary.Constant<Verdict>({ _tag: "Unscoped" })),
      target: oneOf(["{mcp}", "{mcp}/tools", "{mcp}?a=/healthz", "{mcp}?/.well-known/oauth-protected-resource"]),
      agent: oneOf(["kube-probe/1.30", "GoogleHC/1.0", "Mozilla/5.0"])
    },
    Effect.fnUntraced(function*({ agent, target, ...circumstances }) {
      const app = yield* runApp(circumstances)
      for (const method of methods) {
        const { relayed, status } = yield* app.send({ ...message({ "user-agent": agent }, ping, target), method })
        const { verdict: { _tag: verdict } } = circumstances
        assert.strictEqual(status, verdict === "Rejected" ? 401 : verdict === "Unscoped" ? 403 : 500)
        assert.isFalse(relayed)
      }
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-55",
      title: "MUST deny a foreign Origin with 403 before it looks at the token",
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
        "https://evil-app.example",
        "https://evil.app.example",
        "https://xapp.example",
        "https://app.examplex",
        "https://app.exampl",
        "https://app.example.",
        "http://app.example",
        "https://app_example",
        "https://evil.example?https://app.example",
        "https://evil.example#https://app.example",
        "https://evil.example/https://app.example",
        "http://xlocalhost:6274",
        "http://evil-127.0.0.1.example",
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
      const bare = { ...message(), headers: { origin, "content-type": "application/json" } }
      for (const request of [message({ origin }), bare]) {
        assertOwnError(app, yield* app.send(request), { status: 403, error: "access_denied" })
      }
      assertVerified(app, [])
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-56",
      title: "MUST respond 500 server_error with Retry-After, never 401, when the token cannot be verified now",
      source: "RFC 9110, sections 10.2.3 and 15.6.1; RFC 6750, section 3.1 (401 means the token is bad)"
    },
    { ...anyone, verdict: outage },
    Effect.fnUntraced(function*(circumstances) {
      const app = yield* runApp(circumstances)
      const response = yield* app.send(message())
      assertOwnError(app, response, { status: 500, error: "server_error" })
      if (circumstances.verdict._tag === "Unavailable") {
        assert.match(response.headers.get("retry-after") ?? "", /^[1-9][0-9]*$/)
      }
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-57",
      title: "MUST forward the methods that HTTP defines, and respond 405 with Allow to others",
      source: "RFC 9110, sections 9.3 and 15.5.6",
      runs: 8
    },
    { ...anyone, verdict: Arbitrary.Constant(good), upstream: Arbitrary.Constant(ordinary) },
    Effect.fnUntraced(function*(circumstances) {
      const app = yield* runApp(circumstances)
      const forwarded: Array<string> = []
      for (const method of methods) {
        const response = yield* app.send({ ...message(), method })
        if (forwardedMethods.includes(method)) {
          forwarded.push(method)
          assert.isTrue(response.relayed, method)
        } else {
          assertOwnError(app, response, { status: 405, error: "method_not_allowed" })
          assert.includeMembers((response.headers.get("allow") ?? "").split(", "), [...forwardedMethods])
        }
        assert.deepStrictEqual(app.forwarded.map(({ method }) => method), forwarded)
      }
    })
  ),

  requirement(
    {
      id: "APP-58",
      title: "MUST require every scope of the gateway and of the token's provider, each as a whole word",
      source: "RFC 6749, section 3.3; RFC 6750, section 3.1",
      runs: 60
    },
    {
      settings: settingsWith({
        required_scopes: oneOf([undefined, "mcp:read", "mcp:read mcp:write"]),
        providers: oneOf([[providers.scoped, providers.authkit], [{
          ...providers.scoped,
          required_scopes: "tools:call tools:list"
        }]])
      }),
      caller: anyCaller,
      missing: oneOf([0, 1, 2, 3]),
      instead: oneOf<(scope: string) => ReadonlyArray<string>>([
        () => [],
        (scope) => [scope.slice(0, -1)],
        (scope) => [scope.slice(1)],
        (scope) => [`${scope}x`, `x${scope}`],
        (scope) => [`${scope}:all`, `${scope}.own`, `all:${scope}`],
        (scope) => [scope.toUpperCase()],
        (scope) => [`${scope.split(":")[0]}`, `${scope.split(":")[0]}:*`, "*", ".*"],
        (scope) => [`${scope} `, ` ${scope}`, `${scope},other`],
        (scope) => [...scope]
      ])
    },
    Effect.fnUntraced(function*({ caller, instead, missing, settings }) {
      const upstream = ordinary
      const whole = yield* runApp({ caller, settings, upstream, verdict: good })
      const { relayed } = yield* whole.send(message())
      assert.isTrue(relayed, "a token with all the scopes was rejected")
      const required = requiredScopes(whole.settings)
      const verdict: Verdict = { _tag: "Unscoped", missing: missing % required.length, instead }
      const app = yield* runApp({ caller, settings, upstream, verdict })
      assertOwnError(app, yield* app.send(message()), { status: 403, error: "insufficient_scope" })
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-59",
      title: "MUST accept pages of the allowed origins, and clients that send no Origin",
      source: "Fetch, section 3.3; MCP 2025-11-25, transports, Security Warning"
    },
    {
      ...anyone,
      verdict: Arbitrary.Constant(good),
      upstream: Arbitrary.Constant(ordinary),
      allowed: oneOf([
        ["https://app.example", "https://app.example"],
        [["https://app.example", "https://admin.example:8443"], "https://admin.example:8443"],
        [undefined, "http://localhost:6274"],
        [undefined, "http://127.0.0.1:8080"],
        ["*", "https://anywhere.example"]
      ])
    },
    Effect.fnUntraced(function*({ allowed: [allowed_origins, origin], ...circumstances }) {
      const app = yield* runApp({
        ...circumstances,
        settings: { ...circumstances.settings, ...(allowed_origins === undefined ? {} : { allowed_origins }) }
      })
      const listening = allowed_origins === undefined ? circumstances.settings.allowed_origins : undefined
      // The settings of the case may allow other origins than those of this machine.
      if (listening !== undefined && listening !== "*" && ![listening].flat().includes(origin)) return
      const page = yield* app.send(message({ origin }))
      assert.deepStrictEqual([page.status, page.relayed], [200, true], page.text)
      assert.include(["*", origin], page.headers.get("access-control-allow-origin"))
      const client = yield* app.send(message())
      assert.deepStrictEqual([client.status, client.relayed], [200, true], client.text)
    })
  )
]
