import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { ping } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { makeEventStream } from "../support/eventStream.ts"
import { startGateway } from "../support/gateway.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "../support/RecordingUpstream.ts"
import { bigStream, hang, jsonRpc } from "../support/upstreamResponses.ts"
import { awaitRefused, type Connection, openConnection } from "./support/connection.ts"
import { type GatewayProgram, startGatewayProgram, staticSettings } from "./support/GatewayProgram.ts"

const head = [
  "POST /mcp HTTP/1.1",
  "Host: 127.0.0.1",
  "Authorization: Bearer dev-token",
  "Content-Type: application/json",
  `Content-Length: ${ping.length}`,
  "X-Trace-Id: the-request",
  "",
  ""
].join("\r\n")

const reply = `{"jsonrpc":"2.0","id":1,"result":{}}`

/** Longer than any test may take: what ends before does not end because of it. */
const never = "600"

const start = Effect.fnUntraced(function*(shutdownTimeout: string) {
  const upstream = yield* makeRecordingUpstream
  const gateway = yield* startGatewayProgram({
    env: { ...staticSettings(upstream.origin), MCP_SHUTDOWN_TIMEOUT: shutdownTimeout }
  })
  return { upstream, gateway, connection: yield* Effect.orDie(openConnection(gateway.origin)) }
})

/** Signals, and waits until the gateway has heard it. */
const stop = Effect.fnUntraced(function*(gateway: GatewayProgram, signal: NodeJS.Signals = "SIGTERM") {
  yield* gateway.signal(signal)
  yield* awaitRefused(gateway.origin)
})

const endsWell = Effect.fnUntraced(function*(gateway: GatewayProgram) {
  const { code, signal, stderr } = yield* gateway.ended
  assert.deepStrictEqual([code, signal, stderr], [0, null, ""])
})

/** The states of a client when the timeout ends. */
const unfinished: ReadonlyArray<readonly [string, (c: Connection, u: RecordingUpstream) => Effect.Effect<unknown>]> = [
  ["has sent nothing", () => Effect.void],
  ["has sent half a head", (connection) => connection.write(head.slice(0, 40))],
  ["has sent half a body", (connection) => connection.write(head + ping.slice(0, 10))],
  [
    "waits for the MCP server",
    (connection, upstream) =>
      Effect.all([upstream.respondWith(hang), connection.write(head + ping), upstream.awaitRequest()])
  ],
  [
    "does not read its response",
    (connection, upstream) =>
      Effect.all([
        upstream.respondWith(bigStream(Infinity)),
        connection.pause,
        connection.write(head + ping),
        upstream.awaitRequest()
      ])
  ]
]

describe.concurrent("stopping", { timeout: 60_000 }, () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.live(`${signal} ends the gateway with 0, with any number of idle connections`, () =>
      Effect.gen(function*() {
        const { connection, gateway } = yield* start(never)
        yield* connection.write(head + ping)
        yield* connection.awaitText(reply)
        yield* stop(gateway, signal)
        yield* endsWell(gateway)
        yield* connection.closed
      }))
  }

  it.live("lets an open request end, accepts no new one, and announces the end of the connection", () =>
    Effect.gen(function*() {
      const { connection, gateway, upstream } = yield* start(never)
      const release = yield* Deferred.make<void>()
      yield* upstream.respondWith((request, response) =>
        Effect.andThen(Deferred.await(release), jsonRpc(request, response))
      )
      yield* connection.write(head + ping)
      yield* upstream.awaitRequest()
      yield* stop(gateway)
      // A second signal changes nothing.
      yield* gateway.signal("SIGTERM")
      yield* gateway.signal("SIGINT")
      assert.isFalse(gateway.hasEnded())

      yield* Deferred.succeed(release, undefined)
      yield* connection.awaitText(reply)
      assert.match(connection.received(), /^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n/i)
      yield* connection.closed
      yield* endsWell(gateway)
      assert.match(
        gateway.stdout(),
        /"trace_id":"the-request"[^\n]*"http_method":"POST","path":"\/mcp","status":200/
      )
    }))

  it.live("accepts no second request on a connection whose response was open", () =>
    Effect.gen(function*() {
      const { connection, gateway, upstream } = yield* start(never)
      const stream = yield* makeEventStream()
      yield* upstream.respondWith(stream.handler)
      yield* connection.write(head + ping)
      yield* stream.send({ n: 1 })
      yield* connection.awaitText("data: {\"n\":1}")
      yield* stop(gateway)
      yield* stream.send({ n: 2 })
      yield* connection.awaitText("data: {\"n\":2}")
      yield* stream.end
      yield* connection.closed
      assert.match(connection.received(), /\r\n0\r\n\r\n$/, "the stream ends as a whole one")
      yield* endsWell(gateway)
    }))

  it.live("cuts an event stream that is still open after MCP_SHUTDOWN_TIMEOUT", () =>
    Effect.gen(function*() {
      const { connection, gateway, upstream } = yield* start("1")
      const stream = yield* makeEventStream()
      yield* upstream.respondWith(stream.handler)
      yield* connection.write(head + ping)
      const request = yield* upstream.awaitRequest()
      yield* stop(gateway)
      yield* stream.send({ n: 1 })
      yield* connection.awaitText("data: {\"n\":1}")
      yield* connection.closed
      assert.notMatch(connection.received(), /\r\n0\r\n\r\n$/, "no client may mistake it for a complete one")
      assert.strictEqual(yield* request.ended, "Aborted")
      yield* endsWell(gateway)
      assert.match(
        gateway.stdout(),
        /"trace_id":"the-request"[^\n]*"http_method":"POST","path":"\/mcp","status":200/
      )
    }))

  for (const [what, begin] of unfinished) {
    it.live(`does not wait longer for a client that ${what}`, () =>
      Effect.gen(function*() {
        const { connection, gateway, upstream } = yield* start("1")
        yield* begin(connection, upstream)
        yield* stop(gateway)
        yield* endsWell(gateway)
        yield* connection.resume
        yield* connection.closed
      }))
  }

  it.live("cuts at once when MCP_SHUTDOWN_TIMEOUT is 0", () =>
    Effect.gen(function*() {
      const { connection, gateway, upstream } = yield* start("0")
      yield* upstream.respondWith(hang)
      yield* connection.write(head + ping)
      yield* upstream.awaitRequest()
      yield* stop(gateway)
      yield* endsWell(gateway)
    }))

  it.live("ends with an error when its log is no longer read", () =>
    Effect.gen(function*() {
      const { connection, gateway } = yield* start(never)
      yield* gateway.stopReading
      // Until a line is written that has no reader.
      yield* Effect.forkChild(Effect.forever(Effect.delay(connection.write(head + ping), "20 millis")))
      yield* connection.closed
      const { code, signal } = yield* gateway.ended
      assert.deepStrictEqual([code, signal], [1, null])
    }))
})

describe("a client that leaves", { timeout: 60_000 }, () => {
  it.live("cancels the upstream request, even before the MCP server has begun its response", () =>
    Effect.gen(function*() {
      const { gateway, upstream } = yield* start(never)
      yield* upstream.respondWith(hang)
      yield* Effect.scoped(Effect.gen(function*() {
        const connection = yield* openConnection(gateway.origin)
        yield* connection.write(head + ping)
        yield* upstream.awaitRequest()
      }))
      const request = yield* upstream.awaitRequest()
      assert.strictEqual(yield* request.ended, "Aborted")
      const line = yield* gateway.requestLine("the-request")
      assert.deepStrictEqual([line["status"], line["ended"]], [499, "client left"])
    }))
})

describe("a gateway inside another program", { timeout: 60_000 }, () => {
  it.live("cuts what is left, although the program continues", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const gateway = yield* startGateway(settings("http://127.0.0.1:9", { shutdownTimeoutMillis: 100 })).pipe(
        Scope.provide(scope)
      )
      const connection = yield* openConnection(gateway.origin)
      yield* connection.write(head.slice(0, 40))
      yield* Scope.close(scope, Exit.void)
      yield* connection.closed
    }))
})
