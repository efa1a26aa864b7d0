/** How long a response's body may take, and back-pressure. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import * as arbitraries from "./arbitraries.ts"
import { clientRequirement } from "./clientRequirement.ts"
import { bodyOf, chunksOf, connect, request } from "./Subject.ts"
import { type Exchange, ok } from "./Upstream.ts"

const MiB = 1024 * 1024

const eventStream = [["content-type", "text/event-stream"]] as const

const text = new TextEncoder()

/** Writes blocks as fast as they are accepted, and counts them. */
const flood = Effect.fnUntraced(function*(exchange: Exchange, bytes: number, taken: Ref.Ref<number>) {
  const block = new Uint8Array(65_536).fill(0x61)
  yield* exchange.head(200, eventStream)
  for (let left = bytes; left > 0; left -= block.length) {
    yield* exchange.write(block)
    yield* Ref.update(taken, (count) => count + block.length)
  }
  yield* exchange.end
})

/** Waits until no more is accepted, and then a while longer, because a busy machine pauses as well. */
const standstill = Effect.fnUntraced(function*(taken: Ref.Ref<number>) {
  let before = 0
  for (let quiet = 0; quiet < 3;) {
    yield* Effect.sleep("200 millis")
    const now = yield* Ref.get(taken)
    quiet = now === before && now > 0 ? quiet + 1 : 0
    before = now
  }
  return before
})

export const streams = [
  clientRequirement(
    {
      id: "CLIENT-20",
      title: "MUST pass on each event as it arrives, before the response ends",
      source: "MCP 2025-11-25, Transports, Sending Messages to the Server; HTML, section 9.2"
    },
    { events: arbitraries.eventTexts },
    Effect.fnUntraced(function*({ events }) {
      const seen = yield* Queue.unbounded<void>()
      const { send } = yield* connect(Effect.fnUntraced(function*(exchange) {
        yield* exchange.head(200, eventStream)
        for (const event of events) {
          yield* exchange.write(text.encode(event))
          // Sends nothing more before this event was received.
          yield* Queue.take(seen)
        }
        yield* exchange.end
      }))
      const response = yield* send(request())
      let received = ""
      let next = 0
      yield* Stream.runForEach(chunksOf(response), (chunk) => {
        received += Buffer.from(chunk).toString("latin1")
        if (received.length < events.slice(0, next + 1).join("").length) return Effect.void
        next++
        return Queue.offer(seen, undefined)
      })
      assert.strictEqual(received, events.join(""))
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-21",
      title: "MUST make the upstream wait for a slow reader, and lose nothing",
      source: "RFC 9293, section 3.8.6; CVE-2026-27887",
      runs: 1
    },
    {},
    () =>
      Effect.forEach(
        [0, 1, 20],
        Effect.fnUntraced(function*(pauseAfter) {
          // More than both ends of a connection and the client itself may buffer.
          const bound = 16 * MiB
          const taken = yield* Ref.make(0)
          const { send } = yield* connect((exchange) => flood(exchange, 2 * bound, taken))
          const response = yield* send(request())
          const goOn = yield* Deferred.make<void>()
          const pause = (chunks: number) => chunks === pauseAfter ? Deferred.await(goOn) : Effect.void
          const reading = Stream.runFoldEffect(
            chunksOf(response),
            () => ({ bytes: 0, chunks: 0 }),
            ({ bytes, chunks }, chunk) =>
              Effect.as(pause(chunks + 1), { bytes: bytes + chunk.length, chunks: chunks + 1 })
          )
          const reader = yield* Effect.forkScoped(Effect.andThen(pause(0), reading))
          assert.isBelow(yield* standstill(taken), bound)
          yield* Deferred.succeed(goOn, undefined)
          assert.strictEqual((yield* Fiber.join(reader)).bytes, 2 * bound)
        }),
        { concurrency: "unbounded", discard: true }
      )
  ),

  clientRequirement(
    {
      id: "CLIENT-22",
      title: "MUST NOT end a stream that is silent for longer than MCP_UPSTREAM_TIMEOUT",
      source: "MCP 2025-11-25, Transports, Listening for Messages from the Server",
      runs: 1
    },
    {},
    Effect.fnUntraced(function*() {
      const { send } = yield* connect(
        Effect.fnUntraced(function*(exchange) {
          yield* exchange.head(200, eventStream)
          yield* Effect.sleep("1500 millis")
          yield* exchange.write(text.encode("data: late\n\n"))
          yield* exchange.end
        }),
        { upstreamTimeout: 1 }
      )
      const response = yield* send(request())
      assert.strictEqual(Buffer.from(yield* bodyOf(response)).toString(), "data: late\n\n")
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-23",
      title: "MUST return the head of a stream before the first byte of its body",
      source: "MCP 2025-11-25, Transports, Listening for Messages from the Server",
      runs: 5
    },
    { status: oneOf([200, 404, 500]), chunked: oneOf([true, false]) },
    Effect.fnUntraced(function*({ chunked, status }) {
      const headSeen = yield* Deferred.make<void>()
      const { send } = yield* connect(Effect.fnUntraced(function*(exchange) {
        yield* exchange.head(status, chunked ? eventStream : [["content-length", "1000000"]])
        yield* Deferred.await(headSeen)
        yield* exchange.write(new Uint8Array(1_000_000).fill(0x61))
        yield* exchange.end
      }))
      const response = yield* send(request({ method: "GET", body: undefined }))
      assert.strictEqual(response.status, status)
      yield* Deferred.succeed(headSeen, undefined)
      assert.lengthOf(yield* bodyOf(response), 1_000_000)
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-24",
      title: "MUST send further requests while streams are open, even when one is not read",
      source: "MCP 2025-11-25, Transports, Multiple Connections; CWE-400",
      runs: 2
    },
    { count: oneOf([12, 24]) },
    Effect.fnUntraced(function*({ count }) {
      const { send } = yield* connect(Effect.fnUntraced(function*(exchange) {
        if (exchange.method !== "GET") return yield* ok(exchange)
        yield* exchange.head(200, eventStream)
        yield* exchange.write(text.encode("data: first\n\n"))
        return yield* Effect.never
      }))
      yield* Effect.forEach(
        Array.from({ length: count }),
        () => send(request({ method: "GET", body: undefined })),
        { concurrency: 8, discard: true }
      )
      for (let more = 0; more < 3; more++) {
        const response = yield* send(request())
        assert.strictEqual(Buffer.from(yield* bodyOf(response)).toString(), "{}")
      }
    })
  )
]
