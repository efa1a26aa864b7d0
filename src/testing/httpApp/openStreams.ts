/** Responses that are not complete yet: streams, and clients that leave. */
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { UpstreamUnavailable } from "../../errors/GatewayError.ts"
import { oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, good } from "./caller.ts"
import { get, message } from "./clientRequest.ts"
import { runApp } from "./RunningApp.ts"
import { callers, encoder, scripted, soon, text, three } from "./scripts.ts"
import { anySettings, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"

const listen = get("{mcp}", { authorization: "Bearer {token}", accept: "text/event-stream" })

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`

const events = { "content-type": "text/event-stream" }

/** Chunks of event streams, cut anywhere. */
const eventChunks: ReadonlyArray<string | ReadonlyArray<number>> = [
  ": keep-alive\n\n",
  ":\n",
  "\ufeffdata: x\r\n\r\n",
  "\r",
  "\n",
  "retry: 10\n\n",
  "id\ndata\n\n",
  "event: message\ndata: {\"jsonrpc\"",
  "data:  two blanks \n",
  [0xff, 0x00, 0xc3],
  [0xa9]
]

const readToEnd = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> => {
  while (!(await reader.read()).done);
}

/** The requirements on streams and on clients that disconnect. */
export const openStreams: ReadonlyArray<Requirement<Subject>> = [
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
      type: oneOf(["text/event-stream", "application/octet-stream"]),
      request: oneOf([listen, message(), message({}, initialize)])
    },
    Effect.fnUntraced(function*({ caller, request, settings, status, type }) {
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
      // By its first event the server accepts or rejects what the gateway adds to `initialize`; its head may wait for that.
      if (request.body === initialize) yield* Deferred.succeed(steps[0], undefined)
      const response = yield* soon(app.open(request), "the head waits for the first event")
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
      id: "APP-88",
      title: "MUST pass on event streams byte by byte: comments, all line ends, and bytes that are no text",
      source: "HTML, section 9.2; MCP 2025-11-25, transports, Streamable HTTP",
      runs: 10
    },
    {
      settings: anySettings,
      caller: anyCaller,
      request: oneOf([listen, message()]),
      chunks: Arbitrary.array(oneOf(eventChunks), { minLength: 1, maxLength: 6 })
    },
    Effect.fnUntraced(function*({ caller, chunks, request, settings }) {
      const pieces = [...chunks, ": the end\n\n"].map((chunk) =>
        typeof chunk === "string" ? encoder.encode(chunk) : Uint8Array.from(chunk)
      )
      const app = yield* runApp({
        settings,
        caller,
        verdict: good,
        upstream: scripted(() =>
          Effect.succeed({
            status: 200,
            headers: events,
            body: { _tag: "Stream", stream: Stream.fromIterable(pieces) }
          })
        )
      })
      const response = yield* soon(app.open(request), "the stream did not begin")
      const read = yield* Effect.promise(() => response.arrayBuffer())
      assert.strictEqual(Buffer.from(read).toString("hex"), Buffer.concat(pieces).toString("hex"))
    })
  ),

  requirement(
    {
      id: "APP-89",
      title: "MUST NOT end a response normally that the MCP server broke off",
      source: "RFC 9112, section 8; CWE-222",
      runs: 10
    },
    {
      settings: anySettings,
      caller: anyCaller,
      request: oneOf([listen, message()]),
      type: oneOf(["text/event-stream", "application/json", "application/octet-stream"]),
      first: oneOf(["", "data: 1\n\n", "{\"jsonrpc\":\"2.0\"}"])
    },
    Effect.fnUntraced(function*({ caller, first, request, settings, type }) {
      const body = Stream.concat(
        Stream.fromIterable(first === "" ? [] : [encoder.encode(first)]),
        Stream.fail(new UpstreamUnavailable({ detail: "broke off" }))
      )
      const app = yield* runApp({
        settings,
        caller,
        verdict: good,
        upstream: scripted(() =>
          Effect.succeed({ status: 200, headers: { "content-type": type }, body: { _tag: "Stream", stream: body } })
        )
      })
      const end = yield* Effect.flatMap(
        soon(app.open(request), "there was no response"),
        (response) =>
          Effect.promise(async () => {
            if (response.status >= 500) return "an error"
            try {
              await response.arrayBuffer()
              return "complete"
            } catch {
              return "broken off"
            }
          })
      )
      assert.notStrictEqual(end, "complete")
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
      // The stream is read, because a server reads ahead of its client.
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
  )
]
