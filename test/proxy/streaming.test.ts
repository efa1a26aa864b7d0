import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { initialize, ping } from "../fixtures/messages.ts"
import { makeEventStream } from "../support/eventStream.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { openResponse } from "../support/openResponse.ts"
import * as responses from "../support/upstreamResponses.ts"

const Fixture = GatewayFixture.layer()

/** Opens an event stream through the gateway, up to its head. */
const openStream = Effect.fnUntraced(function*(
  method: "GET" | "POST",
  headers: Readonly<Record<string, string>> = {},
  body = ping
) {
  const { gateway, reset, token, upstream } = yield* GatewayFixture
  yield* reset
  const events = yield* makeEventStream({ "mcp-session-id": "s-1", "x-accel-buffering": "no" })
  yield* upstream.respondWith(events.handler)
  const response = yield* openResponse(`${gateway.origin}/mcp`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: "text/event-stream",
      "accept-encoding": "gzip, br",
      ...method === "POST" ? { "content-type": "application/json" } : {},
      ...headers
    },
    ...method === "POST" ? { body } : {}
  })
  return { response, events, upstream }
})

layer(Fixture, { excludeTestServices: true })("streaming", (it) => {
  for (const method of ["GET", "POST"] as const) {
    it.effect(`FW-5 the response to ${method} passes event by event, without waiting for the next`, () =>
      Effect.gen(function*() {
        const { response, events } = yield* openStream(method)
        assert.strictEqual(response.status, 200)
        for (let id = 1; id <= 20; id++) {
          const event = `event: message\nid: ${id}\ndata: {"n":"${id}"}\n\n`
          yield* events.send({ n: String(id) }, String(id))
          assert.strictEqual(yield* response.take(event.length), event)
        }
        yield* events.end
        assert.strictEqual(yield* response.ended, "Complete")
        assert.strictEqual(yield* response.take(1), "")
      }))
  }

  it.effect("FW-5 the head comes before the first event, with its fields and without an encoding", () =>
    Effect.gen(function*() {
      const { response } = yield* openStream("GET", { "last-event-id": "s/41", "mcp-session-id": "s-1" })
      const expected = {
        "content-type": ["text/event-stream"],
        "cache-control": ["no-cache"],
        "mcp-session-id": ["s-1"],
        "x-accel-buffering": ["no"],
        "content-encoding": [],
        "content-length": []
      }
      for (const [name, values] of Object.entries(expected)) {
        assert.deepStrictEqual(response.headers(name), values, name)
      }
    }))

  it.effect("FW-5 comments, retries, odd line ends and partial events pass as they are sent", () =>
    Effect.gen(function*() {
      const { response, events } = yield* openStream("POST")
      const pieces = [
        ": keep-alive\n\n",
        ":\n",
        "\n",
        "retry: 1500\n\n",
        "id\n\n",
        "data: half",
        " of it\r",
        "\n\r\ndata:\r\rdata: last one, é\n",
        "\ufeffunknown: field\n\n",
        "event: x\ndata"
      ]
      for (const piece of pieces) {
        yield* events.write(piece)
        assert.strictEqual(yield* response.take(Buffer.byteLength(piece)), piece)
      }
    }))

  it.effect("JSON passes chunk by chunk too", () =>
    Effect.gen(function*() {
      const { gateway, reset, token, upstream } = yield* GatewayFixture
      yield* reset
      const events = yield* makeEventStream({ "content-type": "application/json" })
      yield* upstream.respondWith(events.handler)
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
      const response = yield* openResponse(`${gateway.origin}/mcp`, { headers, body: ping })
      assert.deepStrictEqual(response.headers("content-type"), ["application/json"])
      for (const piece of ["{\"jsonrpc\":\"2.0\",", "\"id\":1,", "\"result\":{}}"]) {
        yield* events.write(piece)
        assert.strictEqual(yield* response.take(piece.length), piece)
      }
      yield* events.end
      assert.strictEqual(yield* response.ended, "Complete")
    }))

  it.effect("many streams are open in parallel, and ordinary requests pass", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      const streams = yield* Effect.forEach(Array.from({ length: 100 }), () => openStream("GET"))
      yield* reset
      yield* forwarded()
      for (const [index, { response, events }] of streams.entries()) {
        yield* events.write(`data: ${index}\n\n`)
        assert.strictEqual(yield* response.take(`data: ${index}\n\n`.length), `data: ${index}\n\n`)
      }
    }))

  it.effect("the response to DELETE, which ends a session, passes like any other", () =>
    Effect.gen(function*() {
      const { forwarded, reset, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith(responses.respond({ status: 200 }))
      const request = yield* forwarded({ method: "DELETE", lines: ["Mcp-Session-Id: s-1"] })
      assert.deepStrictEqual([request.method, request.headers("mcp-session-id")], ["DELETE", ["s-1"]])
    }))

  it.effect("a stream that the MCP server aborts ends visibly incomplete", () =>
    Effect.gen(function*() {
      const { response, events } = yield* openStream("GET")
      yield* events.write("data: 1\n\n")
      assert.strictEqual(yield* response.take(9), "data: 1\n\n")
      yield* events.cut
      assert.strictEqual(yield* response.ended, "Broken")
      const { forwarded, reset } = yield* GatewayFixture
      yield* reset
      yield* forwarded()
    }))
})

layer(Fixture, { excludeTestServices: true })("a client that leaves", (it) => {
  it.effect("FW-6 during an event stream cancels the upstream request at once", () =>
    Effect.gen(function*() {
      for (const method of ["GET", "POST"] as const) {
        for (const sent of ["", "data: 1\n\n"]) {
          const { response, events, upstream } = yield* openStream(method)
          yield* events.write(sent)
          assert.strictEqual(yield* response.take(sent.length), sent)
          const request = yield* upstream.awaitRequest()
          yield* response.leave
          assert.strictEqual(yield* Effect.timeout(request.ended, "3 seconds"), "Aborted")
        }
      }
    }))

  it.effect("FW-6 before the response cancels the upstream request at once", () =>
    Effect.gen(function*() {
      const { gateway, logs, reset, token, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith(responses.hang)
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
      const waiting = yield* Effect.forkChild(
        Effect.scoped(openResponse(`${gateway.origin}/mcp`, { headers, body: ping }))
      )
      const request = yield* upstream.awaitRequest()
      waiting.interruptUnsafe()
      assert.strictEqual(yield* Effect.timeout(request.ended, "3 seconds"), "Aborted")
      const { forwarded } = yield* GatewayFixture
      yield* upstream.reset
      yield* forwarded()
      assert.include(logs.entries().join("\n"), "client left")
    }))

  it.effect("FW-6 with an initialize stream cancels the upstream request at once", () =>
    Effect.gen(function*() {
      const { response, events, upstream } = yield* openStream("POST", {}, initialize)
      yield* events.write(": open\n\ndata: {\"half\":")
      assert.strictEqual(yield* response.take(8), ": open\n\n")
      const request = yield* upstream.awaitRequest()
      yield* response.leave
      assert.strictEqual(yield* Effect.timeout(request.ended, "3 seconds"), "Aborted")
    }))
})
