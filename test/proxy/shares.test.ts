import { assert, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { message } from "../fixtures/messages.ts"
import { asOwn } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { openResponse } from "../support/openResponse.ts"
import { rawExchange } from "../support/rawHttp.ts"
import * as responses from "../support/upstreamResponses.ts"

const callers = ["greedy", "good", "other"]

/** A gateway that knows three callers, and may use 8 connections for 32 requests and 4 streams. */
const Fixture = Layer.effect(
  GatewayFixture,
  GatewayFixture.over(({ origin }) => {
    const defaults = settings(`${origin}/internal`, {
      maxWaiting: 32,
      maxUpstreamConnections: 8,
      maxStreams: 4,
      maxBufferedBytes: 2_000_000,
      upstreamTimeoutMillis: 50_000
    })
    const providers = defaults.providers.map((configured) => {
      const provider = asOwn(configured)
      return provider.type !== "static" ? provider : {
        ...provider,
        tokens: provider.tokens.flatMap((known) =>
          callers.map((subject) => ({ ...known, subject, token: Redacted.make(subject) }))
        )
      }
    })
    return Effect.succeed({ settings: { ...defaults, providers }, token: "greedy" })
  })
)

const longPing = (bytes: number) => message("ping", `{"a":"${"b".repeat(bytes)}"}`)

layer(Fixture, { excludeTestServices: true })("A caller", (it) => {
  const statuses = Effect.fnUntraced(function*(caller: string, count: number) {
    const { send } = yield* GatewayFixture
    const sent = yield* Effect.all(
      Array.from({ length: count }, () => send({ authorization: `Bearer ${caller}` })),
      { concurrency: "unbounded" }
    )
    return sent.map(({ responses: [reply] }) => reply?.status ?? 0).toSorted((one, other) => one - other)
  })

  const hanging = Effect.gen(function*() {
    const { reset, upstream } = yield* GatewayFixture
    yield* reset
    const release = yield* Deferred.make<void>()
    yield* upstream.respondWith((request, response) =>
      Effect.andThen(Deferred.await(release), responses.jsonRpc(request, response))
    )
    return { release: Deferred.succeed(release, undefined) }
  })

  const callersAsked = Effect.map(
    GatewayFixture,
    ({ upstream }) => upstream.requests().map((request) => request.headers("x-auth-user-id")[0] ?? "")
  )

  it.effect("DOS-06 with many slow requests has half of the connections and places, and others are served", () =>
    Effect.gen(function*() {
      const { upstream } = yield* GatewayFixture
      const { release } = yield* hanging
      const greedy = yield* Effect.forkChild(statuses("greedy", 64))
      yield* upstream.awaitRequest(4)
      const good = yield* Effect.forkChild(statuses("good", 2))
      yield* upstream.awaitRequest(6)
      const other = yield* Effect.forkChild(statuses("other", 1))
      yield* upstream.awaitRequest(7)
      assert.deepStrictEqual((yield* callersAsked).toSorted(), [
        ...Array.from({ length: 2 }, () => "good"),
        ...Array.from({ length: 4 }, () => "greedy"),
        "other"
      ])
      yield* release
      assert.deepStrictEqual(yield* Fiber.join(good), [200, 200])
      assert.deepStrictEqual(yield* Fiber.join(other), [200])
      const told = yield* Fiber.join(greedy)
      assert.deepStrictEqual(
        [told.filter((status) => status === 200).length, told.filter((status) => status === 502).length],
        [16, 48]
      )
    }))

  it.effect("DOS-06 that leaves frees its places", () =>
    Effect.gen(function*() {
      const { upstream } = yield* GatewayFixture
      for (let round = 0; round < 3; round++) {
        const { release } = yield* hanging
        const greedy = yield* Effect.forkChild(statuses("greedy", 16))
        yield* upstream.awaitRequest(4)
        yield* Fiber.interrupt(greedy)
        for (const request of upstream.requests()) assert.strictEqual(yield* request.ended, "Aborted")
        yield* release
      }
      const { release } = yield* hanging
      const greedy = yield* Effect.forkChild(statuses("greedy", 16))
      yield* upstream.awaitRequest(4)
      yield* release
      assert.deepStrictEqual(new Set(yield* Fiber.join(greedy)), new Set([200]))
    }))

  it.effect("DOS-06 with many event streams has half of them, and short requests of all are served", () =>
    Effect.gen(function*() {
      const { gateway, reset, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith((_request, response) =>
        Effect.andThen(
          Effect.sync(() => response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders()),
          Effect.never
        )
      )
      const open = (caller: string) =>
        openResponse(`${gateway.origin}/mcp`, { method: "GET", headers: { authorization: `Bearer ${caller}` } })
      const status = (caller: string) => Effect.map(open(caller), ({ status }) => status)
      assert.deepStrictEqual(
        [yield* status("greedy"), yield* status("greedy"), yield* status("greedy"), yield* status("greedy")],
        [200, 200, 502, 502]
      )
      assert.strictEqual(yield* status("good"), 200)
      yield* upstream.respondWith(responses.jsonRpc)
      for (const caller of callers) assert.deepStrictEqual(yield* statuses(caller, 3), [200, 200, 200])
    }).pipe(Effect.scoped))

  /** Begins to send a message that never ends; returns the response that comes nevertheless. */
  const unfinished = Effect.fnUntraced(function*(caller: string) {
    const { bytes, gateway } = yield* GatewayFixture
    const whole = bytes({ authorization: `Bearer ${caller}`, body: longPing(300_000) })
    const { responses: [reply] } = yield* rawExchange(gateway.origin, whole.slice(0, 200_000), { idleMillis: 20_000 })
    return { status: reply?.status, retryAfter: reply?.headers("retry-after") }
  })

  it.effect("DOS-01 with many unfinished messages has half of their memory: the rest is rejected after a while, and others are served", () =>
    Effect.gen(function*() {
      const { forwarded, reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const greedy = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 50 }, () => unfinished("greedy")), { concurrency: "unbounded" })
      )
      yield* Effect.sleep("1 second")
      for (const caller of ["good", "other"]) {
        for (const length of [10, 60_000, 100_000]) {
          const { responses: [reply] } = yield* send({ authorization: `Bearer ${caller}`, body: longPing(length) })
          assert.strictEqual(reply?.status, 200, `${caller} ${length}`)
        }
      }
      // Short messages are not counted.
      const { responses: [short] } = yield* send({ authorization: "Bearer greedy" })
      assert.strictEqual(short?.status, 200)
      assert.lengthOf(upstream.requests(), 7)
      const rejected = yield* Fiber.join(greedy).pipe(Effect.map((all) => all.filter(({ status }) => status === 503)))
      // More than may wait, too.
      assert.isAtLeast(rejected.length, 42)
      for (const { retryAfter } of rejected) assert.deepStrictEqual(retryAfter, ["5"])
      // All is given back when they have left.
      yield* reset
      for (const length of [100_000, 300_000, 2_000_000]) yield* forwarded({ body: longPing(length) })
    }))

  it.effect("DOS-01 with many finished messages waits for memory, and is served", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset } = yield* GatewayFixture
      yield* reset
      const sent = yield* Effect.all(
        Array.from({ length: 16 }, () =>
          rawExchange(gateway.origin, bytes({ authorization: "Bearer greedy", body: longPing(300_000) }))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        new Set(sent.map(({ responses: [reply] }) =>
          reply?.status
        )),
        new Set([200])
      )
    }))
})
