/** One app serves many callers, and each of them as if it were the only one. */
import * as Arbitrary from "effect/Arbitrary"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { UpstreamRequest } from "../../forward/GatewayClient.ts"
import { either, oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, type Caller, good, identityCanaries, type Verdict } from "./caller.ts"
import { type ClientRequest, get, message } from "./clientRequest.ts"
import { formsOf } from "./everyResponse.ts"
import { assertIdentity } from "./forwardedFields.ts"
import { runApp, type RunningApp } from "./RunningApp.ts"
import { callers, json, scripted, soon, text, three } from "./scripts.ts"
import { anySettings, configuredSecret, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { anyUpstream, ordinary, type UpstreamBehaviour } from "./upstream.ts"

/** Responds with the caller, the request, and the number of the request. */
const echo = (): UpstreamBehaviour => {
  let count = 0
  return scripted(({ headers, method, target }) =>
    Effect.sync(() =>
      text(JSON.stringify({ caller: headers["x-auth-user-id"], method, target, count: ++count }), {
        ...json,
        "cache-control": "max-age=60",
        etag: "\"same\""
      })
    )
  )
}

interface Turn {
  readonly caller: number
  readonly method: "GET" | "POST" | "DELETE"
  readonly rest: string
}

const turn: Arbitrary.Arbitrary<Turn> = Arbitrary.all({
  caller: oneOf([0, 1, 2]),
  method: oneOf(["GET", "GET", "POST", "DELETE"]),
  rest: oneOf(["", "", "?a=b", "?a=c", "/tools", "/tools?a=b"])
})

const requestOf = ({ method, rest }: Turn): ClientRequest =>
  method === "POST"
    ? message({}, undefined, `{mcp}${rest}`)
    : { method, target: `{mcp}${rest}`, headers: { authorization: "Bearer {token}" } }

const subjectIn = (text: string): string | undefined => {
  const { caller }: { readonly caller?: string } = JSON.parse(text)
  return caller === undefined ? undefined : decodeURIComponent(caller)
}

const secretQuery = "query-c2VjcmV0"

/** Requests with secrets in every place where clients put them. */
const secretRequests: ReadonlyArray<ClientRequest> = [
  message(),
  message({}, undefined, `{mcp}/tools?key=${secretQuery}`),
  message({}, undefined, `{mcp}?access_token={token}`),
  message({ authorization: "Bearer {token}x" }),
  message({ authorization: "Basic {token}" }),
  message({ authorization: "{token}" }),
  message({ authorization: "Bearer {token}, Bearer {token}" }),
  message({ cookie: `session=${secretQuery}`, "x-api-key": secretQuery }),
  message({}, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"password":"${secretQuery}"}}`),
  message({}, `{"password":"${secretQuery}"`),
  get(`/nothing?key=${secretQuery}`)
]

const assertQuiet = ({ written }: RunningApp, caller: Caller): void => {
  const texts = written().join("\n")
  // Which program called may be in the log; which person may not.
  const person = identityCanaries({ ...caller, clientId: undefined })
  for (const secret of [...formsOf(caller.token), ...person, configuredSecret, secretQuery]) {
    assert.isFalse(texts.includes(secret), `${secret} is in the log, in a span or on the console`)
  }
}

/** The requirements on an app that serves more than one request. */
export const manyCallers: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-07",
      title: "MUST give each caller a fresh response to their own request",
      source: "RFC 9111, section 3.5; CWE-488; CVE-2026-32887"
    },
    { settings: anySettings, callers, turns: Arbitrary.array(turn, { minLength: 3, maxLength: 12 }) },
    Effect.fnUntraced(function*({ callers, settings, turns }) {
      for (const concurrency of [1, "unbounded"] as const) {
        const app = yield* runApp({ ...three(callers), settings, upstream: echo() })
        const texts = yield* Effect.forEach(turns, (turn) => {
          const caller = callers[turn.caller] ?? callers[0]
          return Effect.map(app.send(requestOf(turn), caller), (response) => {
            assert.deepStrictEqual([response.status, response.relayed], [200, true], response.text)
            assert.strictEqual(subjectIn(response.text), caller.subject)
            const target = new URL(app.settings.gatewayUrl).pathname + turn.rest
            assert.deepInclude(JSON.parse(response.text), { method: turn.method, target })
            return response.text
          })
        }, { concurrency })
        assert.lengthOf(app.forwarded, turns.length)
        for (const request of app.forwarded) {
          const subject = decodeURIComponent(request.headers["x-auth-user-id"] ?? "")
          const caller = callers.find((caller) => caller.subject === subject) ??
            assert.fail("a request without a known caller")
          assertIdentity({ identity: app.identityOf(caller) }, request)
        }
        assert.lengthOf(new Set(texts), turns.length, "a response was given twice")
      }
    })
  ),

  requirement(
    {
      id: "APP-08",
      title:
        "MUST NOT write tokens, queries, bodies, secrets or the user's identity to the log, to spans or to the console",
      source: "RFC 6750, section 5.3; CWE-532",
      runs: 40
    },
    {
      settings: anySettings,
      caller: anyCaller,
      upstream: anyUpstream,
      verdict: either<Verdict>(
        Arbitrary.Constant(good),
        Arbitrary.Constant<Verdict>({ _tag: "Unscoped" }),
        Arbitrary.Constant<Verdict>({ _tag: "Rejected", reason: "Expired" }),
        Arbitrary.Constant<Verdict>({ _tag: "Faulty" })
      )
    },
    Effect.fnUntraced(function*(circumstances) {
      const app = yield* runApp(circumstances)
      for (const request of secretRequests) yield* app.send(request)
      assertQuiet(app, circumstances.caller)
    })
  ),

  requirement(
    {
      id: "APP-09",
      title: "MUST serve other callers while the verifier or the MCP server does not respond for one",
      source: "CWE-400",
      runs: 10
    },
    { settings: anySettings, callers, silent: oneOf(["verifier", "server"]), waiting: oneOf([1, 5, 20]) },
    Effect.fnUntraced(function*({ callers, settings, silent, waiting }) {
      const [caller, other] = callers
      const arrived = yield* Deferred.make<void>()
      const never = Effect.andThen(Deferred.succeed(arrived, undefined), Effect.never)
      const isOther = ({ headers }: UpstreamRequest) =>
        decodeURIComponent(headers["x-auth-user-id"] ?? "") === other.subject
      const app = yield* runApp({
        ...three(callers),
        settings,
        verdict: silent === "verifier" ? { _tag: "Scripted", until: never } : good,
        upstream: silent === "verifier"
          ? ordinary
          : scripted((request) => isOther(request) ? Effect.succeed(text("{}")) : never)
      })
      const waits = yield* Effect.forEach(
        Array.from({ length: waiting }),
        () => Effect.forkChild(app.send(message(), caller), { startImmediately: true })
      )
      yield* soon(Deferred.await(arrived), "the request of the first caller did not arrive")
      const { relayed, status } = yield* soon(app.send(message(), other), "the other caller got no response")
      assert.deepStrictEqual([status, relayed], [200, true])
      yield* Fiber.interruptAll(waits)
    })
  ),

  requirement(
    {
      id: "APP-14",
      title: "MUST describe the resource to each client under the Host by which that client knows it",
      source: "RFC 9728, sections 3.1 and 3.3; RFC 9110, section 7.2",
      runs: 15
    },
    {
      settings: settingsWith({ public_url: Arbitrary.Constant(undefined) }),
      caller: anyCaller,
      hosts: Arbitrary.array(oneOf(["a.example", "b.example:8443", "gateway.test"]), { minLength: 2, maxLength: 5 })
    },
    Effect.fnUntraced(function*({ hosts, ...circumstances }) {
      const app = yield* runApp({ ...circumstances, verdict: good, upstream: ordinary })
      for (const host of hosts) {
        const document = yield* app.send(get("/.well-known/oauth-protected-resource", { host }))
        const { resource }: { readonly resource: string } = JSON.parse(document.text)
        assert.strictEqual(new URL(resource).host, host)
        const { headers } = yield* app.send(get("{mcp}", { host }))
        const metadata = /resource_metadata="([^"]+)"/.exec(headers.get("www-authenticate") ?? "")?.[1] ?? ""
        assert.strictEqual(new URL(metadata).host, host)
      }
    })
  )
]
