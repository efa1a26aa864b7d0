import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { connect } from "node:net"
import { ping } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { makeEventStream } from "../support/eventStream.ts"
import { startGateway } from "../support/gateway.ts"
import { openResponse } from "../support/openResponse.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import * as responses from "../support/upstreamResponses.ts"

/** A gateway that can be closed before its test ends. */
const start = Effect.fnUntraced(function*(shutdownTimeoutMillis: number) {
  const upstream = yield* makeRecordingUpstream
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const gateway = yield* Scope.provide(startGateway(settings(upstream.origin, { shutdownTimeoutMillis })), scope)
  return { gateway, upstream, close: Scope.close(scope, Exit.void) }
})

const headers = { authorization: "Bearer dev-token", "content-type": "application/json" }

const request = rawRequest([
  "POST /mcp HTTP/1.1",
  "Host: 127.0.0.1",
  "Authorization: Bearer dev-token",
  "Content-Type: application/json",
  `Content-Length: ${ping.length}`
], ping)

const accepts = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const socket = connect(port, "127.0.0.1")
    socket.on("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.on("error", () => resume(Effect.succeed(false)))
  })

/** Waits until new connections are rejected. */
const rejecting = Effect.fnUntraced(function*(port: number) {
  while (yield* accepts(port)) yield* Effect.sleep("5 millis")
})

describe("shutdown", () => {
  it.live("lets requests in flight finish, accepts no new ones, and then ends at once", () =>
    Effect.gen(function*() {
      const { close, gateway, upstream } = yield* start(60_000)
      const go = yield* Deferred.make<void>()
      yield* upstream.respondWith((request, response) =>
        Effect.andThen(Deferred.await(go), responses.jsonRpc(request, response))
      )
      assert.isTrue(yield* accepts(gateway.port))
      const client = yield* Effect.forkChild(rawExchange(gateway.origin, request, { idleMillis: 15_000 }))
      yield* upstream.awaitRequest()
      const closing = yield* Effect.forkChild(close)
      yield* rejecting(gateway.port)
      yield* Deferred.succeed(go, undefined)
      const { responses: [reply], outcome } = yield* Fiber.join(client)
      assert.deepStrictEqual([outcome, reply?.status], ["Responded", 200])
      yield* Fiber.join(closing)
    }))

  it.live("does not wait for connections that clients keep open between requests", () =>
    Effect.gen(function*() {
      const { close, gateway, upstream } = yield* start(60_000)
      const go = yield* Deferred.make<void>()
      const idle = yield* Effect.forkChild(
        rawExchange(gateway.origin, request, { responses: Infinity, idleMillis: 60_000 })
      )
      yield* Effect.flatMap(upstream.awaitRequest(), ({ ended }) => ended)
      yield* upstream.respondWith((request, response) =>
        Effect.andThen(Deferred.await(go), responses.jsonRpc(request, response))
      )
      const busy = yield* Effect.forkChild(
        rawExchange(gateway.origin, request, { responses: Infinity, idleMillis: 60_000 })
      )
      yield* upstream.awaitRequest(2)
      const closing = yield* Effect.forkChild(close)
      yield* rejecting(gateway.port)
      yield* Deferred.succeed(go, undefined)
      for (const client of [idle, busy]) {
        const { responses: [reply], outcome } = yield* Fiber.join(client)
        assert.deepStrictEqual([outcome, reply?.status], ["Closed", 200])
      }
      yield* Fiber.join(closing)
    }))

  it.live("cuts an event stream that does not end, and its upstream request, after MCP_SHUTDOWN_TIMEOUT", () =>
    Effect.gen(function*() {
      const { close, gateway, upstream } = yield* start(300)
      const events = yield* makeEventStream()
      yield* upstream.respondWith(events.handler)
      const stream = yield* openResponse(`${gateway.origin}/mcp`, { method: "GET", headers })
      const closing = yield* Effect.forkChild(close)
      yield* rejecting(gateway.port)
      yield* events.write("data: 1\n\n")
      assert.strictEqual(yield* stream.take(9), "data: 1\n\n")
      yield* Effect.timeout(Fiber.join(closing), "3 seconds")
      assert.strictEqual(yield* stream.ended, "Broken")
      assert.strictEqual(yield* Effect.flatMap(upstream.awaitRequest(), ({ ended }) => ended), "Aborted")
    }))

  it.live("cancels a request without a response after MCP_SHUTDOWN_TIMEOUT", () =>
    Effect.gen(function*() {
      const { close, gateway, upstream } = yield* start(300)
      yield* upstream.respondWith(responses.hang)
      const client = yield* Effect.forkChild(rawExchange(gateway.origin, request, { idleMillis: 15_000 }))
      const { ended } = yield* upstream.awaitRequest()
      yield* Effect.timeout(close, "3 seconds")
      assert.strictEqual(yield* ended, "Aborted")
      const { responses: [reply], outcome } = yield* Fiber.join(client)
      assert.deepStrictEqual([outcome, reply?.status], ["Responded", 503])
      assert.strictEqual(JSON.parse(reply?.text ?? "").error, "server_error")
    }))

  it.live("closes an idle gateway at once", () =>
    Effect.gen(function*() {
      const { close, gateway } = yield* start(60_000)
      yield* close
      assert.isFalse(yield* accepts(gateway.port))
    }))
})
