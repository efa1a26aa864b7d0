import { assert, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import * as responses from "../support/upstreamResponses.ts"

/** The number of waiting requests that one caller may have: half of all. */
const waiting = 8

layer(GatewayFixture.layer({ maxWaiting: 2 * waiting }), { excludeTestServices: true })("a flood", (it) => {
  const statuses = Effect.fnUntraced(function*(count: number, authorization?: string) {
    const { send } = yield* GatewayFixture
    const request = authorization === undefined ? {} : { authorization }
    const sent = yield* Effect.all(Array.from({ length: count }, () => send(request)), { concurrency: "unbounded" })
    return sent.map(({ responses: [reply] }) => reply?.status)
  })

  it.effect("DOS-06 in front of a hanging server is rejected beyond the limit, and is over when the server responds", () =>
    Effect.gen(function*() {
      const { forwarded, reset, upstream } = yield* GatewayFixture
      const release = yield* Deferred.make<void>()
      yield* upstream.respondWith((request, response) =>
        Effect.andThen(Deferred.await(release), responses.jsonRpc(request, response))
      )
      const patient = yield* Effect.forkChild(statuses(waiting))
      yield* upstream.awaitRequest(waiting)
      assert.deepStrictEqual(new Set(yield* statuses(50)), new Set([502]))
      assert.lengthOf(upstream.requests(), waiting)
      yield* Deferred.succeed(release, undefined)
      assert.deepStrictEqual(new Set(yield* Fiber.join(patient)), new Set([200]))
      yield* reset
      yield* forwarded()
    }))

  it.effect("DOS-06 of clients that leave frees their places", () =>
    Effect.gen(function*() {
      const { forwarded, reset, upstream } = yield* GatewayFixture
      for (let round = 1; round <= 3; round++) {
        yield* reset
        yield* upstream.respondWith(responses.hang)
        const impatient = yield* Effect.forkChild(statuses(waiting))
        yield* upstream.awaitRequest(waiting)
        yield* Fiber.interrupt(impatient)
        for (const request of upstream.requests()) assert.strictEqual(yield* request.ended, "Aborted")
      }
      yield* reset
      yield* forwarded()
    }))

  it.effect("DOS-03 of bad tokens reaches no MCP server, while good tokens pass", () =>
    Effect.gen(function*() {
      const { reset, upstream } = yield* GatewayFixture
      yield* reset
      const [rejected, passed] = yield* Effect.all(
        [statuses(500, "Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA"), statuses(4)],
        {
          concurrency: "unbounded"
        }
      )
      assert.deepStrictEqual(new Set(rejected), new Set([401]))
      assert.deepStrictEqual(passed, [200, 200, 200, 200])
      assert.lengthOf(upstream.requests(), 4)
    }))
})
