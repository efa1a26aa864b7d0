import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import { makeEventStream } from "./eventStream.ts"
import { rawExchange, rawRequest } from "./rawHttp.ts"
import { makeRecordingUpstream } from "./RecordingUpstream.ts"
import * as responses from "./upstreamResponses.ts"

const post = (url: string, message: unknown) =>
  Effect.promise(() => fetch(url, { method: "POST", body: JSON.stringify(message) }))

const outcome = (url: string) =>
  Effect.promise(() => fetch(url, { redirect: "manual" }).then((_) => _.text()).catch(() => "broken" as const))

describe("RecordingUpstream", () => {
  it.effect("records every byte of a request", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      yield* rawExchange(
        upstream.origin,
        rawRequest(["POST /a//b?x=%20&y HTTP/1.1", "hOST: h", "X-A: 1", "x-a:  2", "Content-Length: 4"], "a\xff\0b")
      )
      const request = yield* upstream.awaitRequest()
      assert.strictEqual(request.url, "/a//b?x=%20&y")
      assert.deepStrictEqual(request.rawHeaders, ["hOST", "h", "X-A", "1", "x-a", "2", "Content-Length", "4"])
      assert.deepStrictEqual(request.headers("X-a"), ["1", "2"])
      assert.deepStrictEqual([...yield* request.body], [0x61, 0xff, 0, 0x62])
      assert.strictEqual(yield* request.ended, "Responded")
    }))

  it.effect("serves a little MCP", () =>
    Effect.gen(function*() {
      const { origin } = yield* makeRecordingUpstream
      const initialize = yield* post(origin, { jsonrpc: "2.0", id: 1, method: "initialize", params: {} })
      const { result } = yield* Effect.promise(() => initialize.json())
      assert.strictEqual(result.serverInfo.name, "recording-upstream")
      const call = yield* post(origin, {
        jsonrpc: "2.0",
        id: "x",
        method: "tools/call",
        params: { name: "echo", arguments: { message: "hello" } }
      })
      assert.deepStrictEqual(yield* Effect.promise(() => call.json()), {
        jsonrpc: "2.0",
        id: "x",
        result: { content: [{ type: "text", text: "{\"message\":\"hello\"}" }] }
      })
      const notified = yield* post(origin, { jsonrpc: "2.0", method: "notifications/initialized" })
      assert.strictEqual(notified.status, 202)
      assert.strictEqual(yield* Effect.promise(() => notified.text()), "")
      const batch = yield* post(origin, [{ jsonrpc: "2.0", id: 1, method: "ping" }, { id: 2, method: "no" }])
      assert.lengthOf(yield* Effect.promise(() => batch.json()), 2)
      assert.strictEqual((yield* Effect.promise(() => fetch(origin))).status, 405)
    }))

  it.effect("sends events one by one and sees the client leave", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const stream = yield* makeEventStream()
      yield* upstream.respondWith(stream.handler)
      const events = yield* Queue.unbounded<string>()
      const client = yield* Effect.forkChild(Effect.promise(async (signal) => {
        const response = await fetch(upstream.origin, { signal })
        for await (const chunk of response.body ?? []) Queue.offerUnsafe(events, Buffer.from(chunk).toString())
      }))
      for (const id of ["1", "2"]) {
        yield* stream.send({ n: id }, id)
        assert.strictEqual(yield* Queue.take(events), `event: message\nid: ${id}\ndata: {"n":"${id}"}\n\n`)
      }
      yield* Fiber.interrupt(client)
      assert.strictEqual(yield* (yield* upstream.awaitRequest()).ended, "Aborted")
    }))

  it.effect("ends and cuts its event streams", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      for (const [way, seen] of [["end", "data: 1\n\n"], ["cut", "broken"]] as const) {
        const stream = yield* makeEventStream()
        yield* upstream.respondWith(stream.handler)
        const client = yield* Effect.forkChild(outcome(upstream.origin))
        yield* stream.write("data: 1\n\n")
        yield* stream[way]
        assert.strictEqual(yield* Fiber.join(client), seen)
      }
    }))

  it.effect("waits for requests that are still to come", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const second = yield* Effect.forkChild(upstream.awaitRequest(2))
      yield* outcome(`${upstream.origin}/1`)
      yield* outcome(`${upstream.origin}/2`)
      assert.strictEqual((yield* Fiber.join(second)).url, "/2")
      yield* upstream.reset
      assert.lengthOf(upstream.requests(), 0)
    }))

  it.effect("responds late by Effect's clock", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      yield* upstream.respondWith(responses.slowHead("10 seconds", responses.respond({ body: "late" })))
      const late = yield* Effect.forkChild(outcome(upstream.origin))
      yield* upstream.awaitRequest()
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(late), "late")
    }))

  it.effect("responds as configured", () =>
    Effect.gen(function*() {
      const { respondWith, origin } = yield* makeRecordingUpstream
      const ask = Effect.promise(() => fetch(origin, { redirect: "manual" }))
      yield* respondWith(responses.redirect("http://elsewhere.example/"))
      assert.strictEqual((yield* ask).headers.get("location"), "http://elsewhere.example/")
      yield* respondWith(responses.noContent)
      assert.strictEqual((yield* ask).status, 204)
      yield* respondWith(responses.withCookies("a=1; Path=/", "b=2"))
      assert.deepStrictEqual((yield* ask).headers.getSetCookie(), ["a=1; Path=/", "b=2"])
      yield* respondWith(responses.gzip("text"))
      const zipped = yield* ask
      assert.strictEqual(zipped.headers.get("content-encoding"), "gzip")
      assert.strictEqual(yield* Effect.promise(() => zipped.text()), "text")
      yield* respondWith(responses.challenge("Basic realm=\"x\""))
      const challenged = yield* ask
      assert.strictEqual(challenged.status, 401)
      assert.strictEqual(challenged.headers.get("www-authenticate"), "Basic realm=\"x\"")
      yield* respondWith(responses.bigStream(200_000))
      assert.lengthOf(yield* outcome(origin), 200_000)
      yield* respondWith(responses.respond({ status: 299, statusText: "Fine", headers: { "x-a": ["1", "2"] } }))
      const raw = yield* rawExchange(origin, rawRequest(["GET / HTTP/1.1", "Host: h"]))
      assert.strictEqual(raw.responses[0]?.statusLine, "HTTP/1.1 299 Fine")
      assert.deepStrictEqual(raw.responses[0]?.headers("X-A"), ["1", "2"])
    }))

  it.effect("fails as configured", () =>
    Effect.gen(function*() {
      const { respondWith, origin } = yield* makeRecordingUpstream
      const request = rawRequest(["GET / HTTP/1.1", "Host: h"])
      yield* respondWith(responses.halfHead)
      const head = yield* rawExchange(origin, request)
      assert.deepStrictEqual([head.outcome, head.responses.length, head.rest.length], ["Closed", 0, 27])
      yield* respondWith(responses.halfBody("End"))
      const ended = yield* rawExchange(origin, request)
      assert.strictEqual(ended.outcome, "Closed")
      assert.isTrue(Buffer.from(ended.received).toString().endsWith("\r\n\r\n0123456789"))
      yield* respondWith(responses.halfBody("Reset"))
      for (let round = 0; round < 20; round++) {
        const reset = yield* rawExchange(origin, request)
        assert.strictEqual(reset.outcome, "Reset")
        assert.isTrue(Buffer.from(reset.received).toString().endsWith("\r\n\r\n0123456789"))
      }
      yield* respondWith(responses.rawBytes("HTTP/1.1 200 OK\r\nA: 1\r\n\r\nopen", "Silence"))
      const silent = yield* rawExchange(origin, request, { idleMillis: 1000 })
      assert.deepStrictEqual([silent.outcome, silent.responses.length, silent.received.length], ["Idle", 0, 29])
      yield* respondWith(responses.hang)
      assert.strictEqual((yield* rawExchange(origin, request, { idleMillis: 50 })).outcome, "Idle")
      yield* respondWith(responses.jsonRpc)
      assert.strictEqual((yield* rawExchange(origin, request)).responses[0]?.status, 405)
    }))
})
