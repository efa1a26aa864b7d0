/** One instance serves requests of every kind, one after the other: none of them changes how the next is decided. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, good } from "./caller.ts"
import { type ClientRequest, get, message } from "./clientRequest.ts"
import { runApp } from "./RunningApp.ts"
import { callers, three } from "./scripts.ts"
import { anySettings, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { ordinary, respondWith } from "./upstream.ts"

const sessionField = "mcp-session-id"

/** Fields that override the method at frameworks that know them. */
const overrides = ["x-http-method-override", "x-http-method", "x-method-override", "X_HTTP_Method_Override"]

/** Fields in which some proxies pass the original target, and which some frameworks take for the target. */
const targetFields = ["x-original-url", "x-rewrite-url", "x-original-uri", "x-forwarded-uri", "x-forwarded-path"]

/** The credentials of a client that thinks that the server knows it already. */
const withoutToken: ReadonlyArray<Readonly<Record<string, string>>> = [
  {},
  { authorization: "Bearer {token}x" },
  { authorization: "Bearer" },
  { cookie: "access_token={token}" },
  { "x-access-token": "{token}" },
  { "proxy-authorization": "Bearer {token}" }
]

const bare = (method: string, headers: Readonly<Record<string, string>>): ClientRequest => {
  const { headers: own, ...request } = message()
  const { authorization: _, ...fields } = own
  return { ...request, method, headers: { ...fields, ...headers } }
}

/** The requirements on an app that has served requests before. */
export const oneInstance: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-15",
      title: "MUST require the token of every request, even after accepted requests of the same client and session",
      source: "MCP 2025-11-25, authorization, Access Token Usage; security best practices, Session Hijacking",
      runs: 10
    },
    {
      settings: anySettings,
      caller: anyCaller,
      method: oneOf(["POST", "GET", "DELETE"]),
      agent: oneOf(["client/1.0", "client/2.0"])
    },
    Effect.fnUntraced(function*({ agent, method, ...circumstances }) {
      const upstream = respondWith(200, "{}", { "content-type": "application/json", [sessionField]: "s-1" })
      const app = yield* runApp({ ...circumstances, verdict: good, upstream })
      const client = { "user-agent": agent, "x-client-id": "same" }
      const begun = yield* app.send(message(client))
      const session = begun.headers.get(sessionField) ?? assert.fail("no session")
      const again = yield* app.send({ ...message({ ...client, [sessionField]: session }), method })
      assert.deepStrictEqual([again.status, again.relayed], [200, true], again.text)
      const before = app.forwarded.length
      for (const credentials of withoutToken) {
        for (const fields of [client, { ...client, [sessionField]: session }]) {
          const response = yield* app.send(bare(method, { ...fields, ...credentials }))
          assert.deepStrictEqual([response.status, response.relayed], [401, false], JSON.stringify(credentials))
        }
      }
      assert.lengthOf(app.forwarded, before)
    })
  ),

  requirement(
    {
      id: "APP-16",
      title:
        "MUST serve hundreds of requests of a few clients like the first one, also when others send invalid ones in between",
      source: "CWE-400; CWE-488",
      runs: 2
    },
    { settings: anySettings, callers, between: oneOf([0, 1, 2]) },
    Effect.fnUntraced(function*({ between, callers, settings }) {
      const app = yield* runApp({ ...three(callers), settings, upstream: ordinary })
      const spoilt = [
        message({ authorization: "Bearer wrong" }),
        get("{mcp}"),
        message({}, "{"),
        message({ authorization: "Basic {token}" })
      ]
      for (let turn = 0; turn < 300; turn++) {
        for (const request of spoilt.slice(0, between)) {
          assert.isFalse((yield* app.send(request)).relayed)
        }
        const response = yield* app.send(message(), callers[turn % 3])
        assert.deepStrictEqual([response.status, response.relayed], [200, true], `request ${turn}: ${response.text}`)
      }
    })
  ),

  requirement(
    {
      id: "APP-17",
      title: "MUST decide by the method of the request itself, and not forward fields that name another",
      source: "RFC 9110, section 9.1; OWASP, Testing for HTTP Verb Tampering",
      runs: 10
    },
    {
      settings: anySettings,
      caller: anyCaller,
      name: oneOf(overrides),
      method: oneOf(["POST", "GET", "DELETE"]),
      other: oneOf(["GET", "DELETE", "PUT", "OPTIONS", "X-SHOUT"])
    },
    Effect.fnUntraced(function*({ method, name, other, ...circumstances }) {
      const app = yield* runApp({ ...circumstances, verdict: good, upstream: ordinary })
      const response = yield* app.send({ ...message({ [name]: other }), method })
      assert.deepStrictEqual([response.status, response.relayed], [200, true], response.text)
      assert.deepStrictEqual(app.forwarded.map(({ method }) => method), [method])
      assert.notInclude(Object.values(app.forwarded[0]?.headers ?? {}), other)
      const rejected = yield* app.send(bare(method, { [name]: other }))
      assert.deepStrictEqual([rejected.status, rejected.relayed], [401, false])
    })
  ),

  requirement(
    {
      id: "APP-19",
      title: "MUST decide by the target of the request itself, and not by fields that name another",
      source: "RFC 9110, section 7.1; CVE-2018-14773",
      runs: 10
    },
    { settings: anySettings, caller: anyCaller, name: oneOf(targetFields) },
    Effect.fnUntraced(function*({ name, ...circumstances }) {
      const app = yield* runApp({ ...circumstances, verdict: good, upstream: ordinary })
      const document = "/.well-known/oauth-protected-resource"
      const response = yield* app.send(message({ [name]: document }))
      assert.deepStrictEqual([response.status, response.relayed], [200, true], response.text)
      assert.deepStrictEqual(app.forwarded.map(({ target }) => target), [new URL(app.settings.gatewayUrl).pathname])
      const unknown = yield* app.send(get("/.well-known/other", { [name]: app.settings.path }))
      assert.deepStrictEqual([unknown.status, unknown.relayed], [404, false])
      const rejected = yield* app.send(bare("GET", { [name]: document }))
      assert.deepStrictEqual([rejected.status, rejected.relayed], [401, false])
    })
  ),

  requirement(
    {
      id: "APP-18",
      title: "MUST forward the path and the query as they are: their case, their slashes and their escapes",
      source: "RFC 3986, sections 3.3 and 6.2; RFC 9110, section 7.1",
      runs: 30
    },
    {
      settings: settingsWith({ public_url: Arbitrary.Constant(undefined) }),
      caller: anyCaller,
      rest: oneOf([
        "/",
        "/Tools",
        "/tools/",
        "/a/B/c.JSON",
        "/a%20B",
        "?A=b&a=B",
        "/?a=b",
        "/tools?next=%2Fx%3F&empty=&b",
        "?a=b&a=c",
        "?q=%25zz%C3%A9",
        "?q=%zz",
        "?"
      ])
    },
    Effect.fnUntraced(function*({ rest, ...circumstances }) {
      const app = yield* runApp({ ...circumstances, verdict: good, upstream: ordinary })
      const response = yield* app.send(message({}, undefined, `{mcp}${rest}`))
      assert.deepStrictEqual([response.status, response.relayed], [200, true], response.text)
      const { pathname } = new URL(app.settings.gatewayUrl)
      const base = pathname === "/" ? "" : pathname
      // A Web `Request` without a query has no question mark, and the root has a slash anyway.
      const expected = [rest, rest.replace(/\?$/, ""), ...(app.settings.path === "/" ? [rest.replace(/^\//, "")] : [])]
        .flatMap((end) => [`${base}${end}`, `${pathname}${end}`])
      assert.include(expected, app.forwarded[0]?.target)
    })
  )
]
