import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { makeEventStream } from "../support/eventStream.ts"
import { startGateway } from "../support/gateway.ts"
import { openAnswer } from "../support/openAnswer.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { settings } from "../support/settings.ts"

const token = (text: string, expiresAt: number | undefined) => ({
  token: Redacted.make(text),
  clientId: "client",
  subject: "subject",
  scopes: [],
  expiresAt,
  email: undefined,
  name: undefined
})

/** A gateway with two static tokens: one that ends after `seconds`, and one that does not. */
const start = Effect.fnUntraced(function*(seconds: number) {
  const upstream = yield* makeRecordingUpstream
  const expiresAt = (yield* Clock.currentTimeMillis) / 1000 + seconds
  const gateway = yield* startGateway(settings(upstream.origin, {
    clockSkewSeconds: 0,
    providers: [{
      type: "static",
      name: "static",
      requiredScopes: [],
      tokenPrefix: undefined,
      allowedDomains: [],
      tokens: [token("short", expiresAt), token("long", undefined)]
    }]
  }))
  const events = yield* makeEventStream()
  yield* upstream.answerWith(events.handler)
  const listen = (token: string) =>
    openAnswer(`${gateway.origin}/mcp`, { method: "GET", headers: { authorization: `Bearer ${token}` } })
  return { events, listen, upstream }
})

describe("the end of a token", () => {
  it.live("CACHE-08 ends the event stream that it opened, upstream too, and a new request is refused", () =>
    Effect.gen(function*() {
      const { listen, upstream } = yield* start(3)
      const answer = yield* listen("short")
      assert.strictEqual(answer.status, 200)
      const request = yield* upstream.awaitRequest()
      assert.strictEqual(yield* request.ended, "Aborted")
      assert.strictEqual(yield* answer.ended, "Complete")
      assert.strictEqual((yield* listen("short")).status, 401)
    }))

  it.live("CACHE-08 positive control: the stream of a token that has not ended stays open", () =>
    Effect.gen(function*() {
      const { events, listen } = yield* start(0.2)
      const answer = yield* listen("long")
      yield* Effect.sleep("400 millis")
      yield* events.send("still here, 40 bytes and more of an event")
      assert.include(yield* answer.take(40), "still here")
      yield* answer.leave
    }))
})
