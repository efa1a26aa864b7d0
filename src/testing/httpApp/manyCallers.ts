/** One app serves many callers, and each of them as if it were the only one. */
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { UpstreamRequest, UpstreamResponse } from "../../forward/GatewayClient.ts"
import { either, oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, type Caller, good, identityCanaries, type Verdict } from "./caller.ts"
import { type ClientRequest, get, message } from "./clientRequest.ts"
import { formsOf } from "./everyResponse.ts"
import { identityOf } from "./fixture.ts"
import { assertIdentity } from "./forwardedFields.ts"
import { runApp, type RunningApp } from "./RunningApp.ts"
import { anySettings, configuredSecret, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { anyUpstream, ordinary, type Respond, type UpstreamBehaviour } from "./upstream.ts"

const encoder = new TextEncoder()

const json = { "content-type": "application/json" }

const text = (body: string, headers: Readonly<Record<string, string>> = json): UpstreamResponse => ({
  status: 200,
  headers,
  body: { _tag: "Bytes", bytes: encoder.encode(body) }
})

const scripted = (respond: Respond): UpstreamBehaviour => ({ _tag: "Scripted", respond })

/** Says who calls, what for, and the how manieth request this is. */
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
  rest: oneOf(["", "", "?a=b"])
})

const requestOf = ({ method, rest }: Turn): ClientRequest =>
  method === "POST"
    ? message({}, undefined, `{mcp}${rest}`)
    : { method, target: `{mcp}${rest}`, headers: { authorization: "Bearer {token}" } }

const subjectIn = (text: string): string | undefined => {
  const { caller }: { readonly caller?: string } = JSON.parse(text)
  return caller === undefined ? undefined : decodeURIComponent(caller)
}

const callers = Arbitrary.all([anyCaller, anyCaller, anyCaller])

/** A case in which all of three callers are good. */
const three = ([caller, ...others]: readonly [Caller, Caller, Caller]) => ({ caller, others, verdict: good })

const listen = get("{mcp}", { authorization: "Bearer {token}", accept: "text/event-stream" })

const events = { "content-type": "text/event-stream" }

/** Waits a few seconds at most for what needs no time of the case, which stands still. */
const soon = <A>(effect: Effect.Effect<A>, otherwise: string): Effect.Effect<A> =>
  Effect.raceFirst(
    effect,
    Effect.map(
      Effect.promise(async (signal) => {
        const end = performance.now() + 5_000
        while (!signal.aborted && performance.now() < end) await new Promise<void>((turn) => setImmediate(turn))
      }),
      () => assert.fail(otherwise)
    )
  )

const readToEnd = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> => {
  while (!(await reader.read()).done);
}

const secretQuery = "query-c2VjcmV0"

/** Requests with secrets wherever clients put them. */
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
  for (const secret of [...formsOf(caller.token), ...identityCanaries(caller), configuredSecret, secretQuery]) {
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
            assert.deepInclude(JSON.parse(response.text), { method: turn.method })
            return response.text
          })
        }, { concurrency })
        assert.lengthOf(app.forwarded, turns.length)
        for (const request of app.forwarded) {
          const subject = decodeURIComponent(request.headers["x-auth-user-id"] ?? "")
          const caller = callers.find((caller) => caller.subject === subject) ?? assert.fail("a request of nobody")
          assertIdentity({ identity: identityOf(app.settings, caller) }, request)
        }
        assert.lengthOf(new Set(texts), turns.length, "a response was given twice")
      }
    })
  ),

  requirement(
    {
      id: "APP-08",
      title: "MUST NOT write tokens, queries, bodies, secrets or identities to the log, to spans or to the console",
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
        Arbitrary.Constant<Verdict>({ _tag: "Refused", reason: "Expired" }),
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
      id: "APP-85",
      title: "MUST pass on the head of a stream before its first event, and each event as it arrives",
      source: "MCP 2025-11-25, transports, Listening for Messages from the Server",
      runs: 10
    },
    {
      settings: anySettings,
      caller: anyCaller,
      status: oneOf([200, 404]),
      type: oneOf(["text/event-stream", "application/octet-stream"])
    },
    Effect.fnUntraced(function*({ caller, settings, status, type }) {
      const steps = [yield* Deferred.make<void>(), yield* Deferred.make<void>()] as const
      const pieces = Stream.fromEffect(Effect.as(Deferred.await(steps[0]), encoder.encode("data: first\n\n"))).pipe(
        Stream.concat(
          Stream.fromEffect(Effect.as(Deferred.await(steps[1]), encoder.encode("data: second\n\n")))
        )
      )
      const app = yield* runApp({
        settings,
        caller,
        verdict: good,
        upstream: scripted(() =>
          Effect.succeed({ status, headers: { "content-type": type }, body: { _tag: "Stream", stream: pieces } })
        )
      })
      const response = yield* soon(app.open(listen), "the head waits for the first event")
      assert.strictEqual(response.status, status)
      const reader = response.body?.getReader() ?? assert.fail("the response has no body")
      for (const [index, event] of ["data: first\n\n", "data: second\n\n"].entries()) {
        yield* Deferred.succeed(steps[index === 0 ? 0 : 1], undefined)
        let read = ""
        while (read.length < event.length) {
          const { value } = yield* soon(Effect.promise(() => reader.read()), `event ${index} did not come`)
          read += new TextDecoder().decode(value)
        }
        assert.strictEqual(read, event)
      }
      assert.isTrue((yield* Effect.promise(() => reader.read())).done)
    })
  ),

  requirement(
    {
      id: "APP-86",
      title: "MUST cancel the verification, the upstream request and the body of a client that disconnects",
      source: "MCP 2025-11-25, transports, Streamable HTTP; CWE-772",
      runs: 15
    },
    { settings: anySettings, callers, when: oneOf(["verifying", "waiting", "reading"]) },
    Effect.fnUntraced(function*({ callers, settings, when }) {
      const [caller, other] = callers
      const begun = yield* Deferred.make<void>()
      const ended = yield* Deferred.make<void>()
      const end = Deferred.succeed(ended, undefined)
      const wait = Effect.onInterrupt(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never), () => end)
      const body = Stream.concat(Stream.make(encoder.encode("data: 1\n\n")), Stream.never)
      const app = yield* runApp({
        ...three(callers),
        settings,
        verdict: when === "verifying" ? { _tag: "Scripted", until: wait } : good,
        upstream: scripted(({ headers }) =>
          decodeURIComponent(headers["x-auth-user-id"] ?? "") === other.subject
            ? Effect.succeed(text("{}"))
            : when === "waiting"
            ? wait
            : Effect.as(
              Effect.addFinalizer(() => end),
              { status: 200, headers: events, body: { _tag: "Stream", stream: body } }
            )
        )
      })
      if (when === "reading") {
        const response = yield* soon(app.open(listen, caller), "the stream did not begin")
        const reader = response.body?.getReader() ?? assert.fail("the response has no body")
        yield* Effect.promise(() => reader.read())
        yield* Effect.promise(() => reader.cancel())
      } else {
        const leaving = yield* Effect.forkChild(app.open(message(), caller), { startImmediately: true })
        yield* soon(Deferred.await(begun), "the request did not come so far")
        yield* Fiber.interrupt(leaving)
      }
      yield* soon(Deferred.await(ended), `it goes on after the client has left while ${when}`)
      const { status } = yield* soon(app.send(message(), other), "the next caller got no response")
      assert.strictEqual(status, 200)
    })
  ),

  requirement(
    {
      id: "APP-87",
      title: "MUST end a notification stream when its token ends, but no response to a request",
      source: "RFC 6750, section 5.3; MCP 2025-11-25, authorization, Token Handling",
      runs: 10
    },
    {
      settings: settingsWith({ clock_skew: oneOf([undefined, 0]) }),
      caller: anyCaller,
      life: oneOf([1, 30, 3_000]),
      listens: oneOf([true, false])
    },
    Effect.fnUntraced(function*({ caller, life, listens, settings }) {
      const ended = yield* Deferred.make<void>()
      const body = Stream.concat(Stream.make(encoder.encode("data: 1\n\n")), Stream.never)
      const now = yield* Clock.currentTimeMillis
      const app = yield* runApp({
        settings,
        caller,
        verdict: { _tag: "Scripted", until: Effect.void, changes: { expiresAt: now / 1000 + life } },
        upstream: scripted(() =>
          Effect.as(
            Effect.addFinalizer(() => Deferred.succeed(ended, undefined)),
            { status: 200, headers: events, body: { _tag: "Stream", stream: body } }
          )
        )
      })
      const response = yield* soon(app.open(listens ? listen : message()), "the stream did not begin")
      const reader = response.body?.getReader() ?? assert.fail("the response has no body")
      yield* Effect.promise(() => reader.read())
      // Somebody listens: a server reads ahead of its client.
      const rest = yield* Effect.forkChild(Effect.promise(() => readToEnd(reader)), { startImmediately: true })
      yield* Effect.promise(() => new Promise<void>((done) => setImmediate(done)))
      yield* TestClock.adjust((life - 1) * 1000)
      assert.isFalse(yield* Deferred.isDone(ended), "the stream ended before the token")
      yield* TestClock.adjust((1 + (settings.clock_skew === 0 ? 0 : 60)) * 1000)
      if (listens) {
        yield* soon(Deferred.await(ended), "the stream outlives the token")
        yield* soon(Fiber.join(rest), "the client was not told")
      } else {
        yield* Effect.yieldNow
        assert.isFalse(yield* Deferred.isDone(ended), "a response was cut when the token ended")
        yield* Effect.promise(() => reader.cancel())
      }
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
