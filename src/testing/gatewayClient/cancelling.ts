/** Cancelled requests, and the limit of waiting ones. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { clientRequirement } from "./clientRequirement.ts"
import { chunksOf, connect, request } from "./Subject.ts"
import { type Exchange, type Fields, ok } from "./Upstream.ts"

/** What the upstream sends before it stops. */
const beginnings = {
  nothing: undefined,
  head: [["content-type", "text/event-stream"]],
  shortBody: [["content-length", "1000"]],
  longBody: [["content-length", "1000000"]]
} as const satisfies Record<string, Fields | undefined>

const begin = Effect.fnUntraced(function*(exchange: Exchange, fields: Fields | undefined) {
  if (fields === undefined) return
  yield* exchange.head(200, fields)
  yield* exchange.write(new Uint8Array(100))
})

export const cancelling = [
  clientRequirement(
    {
      id: "CLIENT-30",
      title: "MUST close the upstream connection when send is interrupted before the response arrives",
      source: "MCP 2025-11-25, Transports, Streamable HTTP; CWE-772"
    },
    { beginning: oneOf(["nothing", "shortBody"]) },
    Effect.fnUntraced(function*({ beginning }) {
      const begun = yield* Deferred.make<void>()
      const { send, upstream } = yield* connect(Effect.fnUntraced(function*(exchange) {
        if (upstream.exchanges.length > 1) return yield* ok(exchange)
        yield* begin(exchange, beginnings[beginning])
        yield* Deferred.succeed(begun, undefined)
        return yield* Effect.never
      }))
      // The scope in which `send` runs stays open.
      const sending = yield* Effect.forkScoped(send(request()))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(sending)
      const exchange = yield* upstream.first
      assert.strictEqual(yield* exchange.ended, "Left")
      assert.strictEqual((yield* send(request())).status, 200)
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-31",
      title: "MUST close the upstream connection when the scope closes before the body ends",
      source: "MCP 2025-11-25, Transports, Streamable HTTP; CWE-772"
    },
    { beginning: oneOf(["head", "longBody"]), read: oneOf([true, false]) },
    Effect.fnUntraced(function*({ beginning, read }) {
      const { send, upstream } = yield* connect(Effect.fnUntraced(function*(exchange) {
        if (upstream.exchanges.length > 1) return yield* ok(exchange)
        yield* begin(exchange, beginnings[beginning])
        return yield* Effect.never
      }))
      yield* Effect.scoped(Effect.gen(function*() {
        const response = yield* send(request())
        if (!read) return
        const seen = yield* Deferred.make<void>()
        yield* Effect.forkScoped(Stream.runForEach(chunksOf(response), () => Deferred.succeed(seen, undefined)))
        yield* Deferred.await(seen)
      }))
      const exchange = yield* upstream.first
      assert.strictEqual(yield* exchange.ended, "Left")
      assert.strictEqual((yield* send(request())).status, 200)
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-32",
      title: "MUST let at most MCP_MAX_WAITING requests wait for a response, and fail the next one unsent",
      source: "src/config/README.md, Settings; CWE-770"
    },
    { maxWaiting: oneOf([1, 2, 5]), leaves: oneOf(["responded", "interrupted"]) },
    Effect.fnUntraced(function*({ leaves, maxWaiting }) {
      const arrivals = yield* Queue.unbounded<Exchange>()
      const { send } = yield* connect(
        Effect.fnUntraced(function*(exchange) {
          yield* Queue.offer(arrivals, exchange)
          return yield* Effect.never
        }),
        { maxWaiting }
      )
      const waiting = yield* Effect.forEach(
        Array.from({ length: maxWaiting }, () => request()),
        (each) => Effect.forkScoped(send(each))
      )
      const [first] = yield* Queue.takeN(arrivals, maxWaiting)
      const arrived = Effect.map(Queue.take(arrivals), () => assert.fail("one more has arrived"))
      const rejected = yield* Effect.raceFirst(Effect.flip(send(request())), arrived)
      assert.strictEqual(rejected._tag, "UpstreamUnavailable")

      // A place becomes free when a response has started, however long it takes, or when its request is cancelled.
      if (leaves === "responded") {
        yield* first === undefined ? Effect.void : begin(first, beginnings.head)
        yield* Effect.raceAllFirst(waiting.map(Fiber.join))
      } else yield* Effect.forEach(waiting, Fiber.interrupt)
      const next = yield* Effect.forkScoped(send(request()))
      yield* Effect.raceFirst(Queue.take(arrivals), Effect.flatMap(Fiber.join(next), () => Effect.never))
    })
  )
]
