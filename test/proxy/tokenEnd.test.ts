import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { eventually } from "../fixtures/eventually.ts"
import { message } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { LogCapture } from "../support/canary.ts"
import { makeEventStream } from "../support/eventStream.ts"
import { startGateway } from "../support/gateway.ts"
import { openResponse } from "../support/openResponse.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"

/** Every token expires this long after its verification, so that it never expires before its request is accepted. */
const endingIn = (seconds: number) =>
  TokenVerifier.layerMapIdentity((identity) =>
    Effect.map(Clock.currentTimeMillis, (now) => ({ ...identity, expiresAt: now / 1000 + seconds }))
  ).pipe(Layer.provide(TokenVerifier.layer))

const json = { "content-type": "application/json" }

const isRequest = (entry: string): boolean => entry.includes("\"message\":\"request\"")

/** A gateway in front of a server whose responses the test writes. */
const start = Effect.fnUntraced(function*(
  seconds: number,
  { headers, ...overrides }: Partial<GatewaySettings> & { readonly headers?: Readonly<Record<string, string>> } = {}
) {
  const upstream = yield* makeRecordingUpstream
  const capture = yield* Layer.build(LogCapture.layer)
  const { entries } = Context.get(capture, LogCapture)
  const gateway = yield* startGateway(
    settings(upstream.origin, { clockSkewSeconds: 0, ...overrides }),
    { verifier: endingIn(seconds), logger: Layer.succeedContext(capture) }
  )
  const events = yield* makeEventStream(headers)
  yield* upstream.respondWith(events.handler)
  const authorization = "Bearer dev-token"
  return {
    events,
    upstream,
    listen: openResponse(`${gateway.origin}/mcp`, { method: "GET", headers: { authorization } }),
    call: (body = message("tools/call"), fields: Readonly<Record<string, string>> = {}) =>
      openResponse(`${gateway.origin}/mcp`, { headers: { authorization, ...json, ...fields }, body }),
    /** How the one request ended, according to the log. */
    ended: Effect.gen(function*() {
      yield* eventually(() => entries().some(isRequest))
      return JSON.parse(entries().find(isRequest)?.split("\n", 1)[0] ?? "{}").annotations.ended
    })
  }
})

const afterTheEnd = Effect.sleep("600 millis")

describe("the end of a token", () => {
  it.live("CACHE-08 ends the event stream of a GET, upstream too, and the log says why", () =>
    Effect.gen(function*() {
      const { ended, listen, upstream } = yield* start(0.4)
      const response = yield* listen
      assert.strictEqual(response.status, 200)
      const request = yield* upstream.awaitRequest()
      assert.strictEqual(yield* request.ended, "Aborted")
      assert.strictEqual(yield* response.ended, "Complete")
      assert.strictEqual(yield* ended, "token ended")
    }))

  it.live("CACHE-08 ends a subscription of MCP 2026-07-28, short or too long to be buffered", () =>
    Effect.gen(function*() {
      const listen = message("subscriptions/listen")
      for (const body of [listen, listen + " ".repeat(1024 * 1024)]) {
        const { call, ended, upstream } = yield* start(0.4)
        const response = yield* call(body)
        const request = yield* upstream.awaitRequest()
        assert.strictEqual(yield* request.ended, "Aborted")
        assert.strictEqual(yield* response.ended, "Complete")
        assert.strictEqual(yield* ended, "token ended")
      }
    }))

  it.live("lets the response to an accepted message finish, as an event stream and as JSON", () =>
    Effect.gen(function*() {
      const long = message("tools/call") + " ".repeat(1024 * 1024)
      const field = { "mcp-method": "subscriptions/listen" }
      for (const headers of [{}, json]) {
        for (const [body, fields] of [[message("tools/call")], [message("tools/call"), field], [long]] as const) {
          const { call, ended, events, upstream } = yield* start(0.4, { headers })
          const response = yield* call(body, fields)
          yield* afterTheEnd
          yield* events.write("the result")
          yield* events.end
          assert.strictEqual(yield* response.take(1000), "the result")
          assert.strictEqual(yield* response.ended, "Complete")
          assert.strictEqual(yield* (yield* upstream.awaitRequest()).ended, "Responded")
          assert.isUndefined(yield* ended)
        }
      }
    }))

  it.live("aborts a response after MCP_RESPONSE_TIMEOUT, so that it does not look complete", () =>
    Effect.gen(function*() {
      for (const headers of [{}, json]) {
        const { call, ended, events, upstream } = yield* start(0.2, { responseTimeoutMillis: 500, headers })
        const response = yield* call()
        yield* events.write("the beginning")
        assert.strictEqual(yield* response.take(13), "the beginning")
        assert.strictEqual(yield* response.ended, "Broken")
        assert.strictEqual(yield* (yield* upstream.awaitRequest()).ended, "Aborted")
        assert.strictEqual(yield* ended, "response timeout")
      }
    }))

  it.live("positive control: MCP_RESPONSE_TIMEOUT does not affect a response whose token has not expired", () =>
    Effect.gen(function*() {
      const { call, events } = yield* start(3600, { responseTimeoutMillis: 200 })
      const response = yield* call()
      yield* afterTheEnd
      yield* events.write("still here")
      assert.strictEqual(yield* response.take(10), "still here")
      yield* response.leave
    }))

  it.live("CACHE-08 positive control: the stream of a token that has not expired stays open", () =>
    Effect.gen(function*() {
      const { events, listen } = yield* start(3600)
      const response = yield* listen
      yield* afterTheEnd
      yield* events.write("still here")
      assert.strictEqual(yield* response.take(10), "still here")
      yield* response.leave
    }))
})
