import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as TestClock from "effect/testing/TestClock"
import { type ProviderAnswer, ProviderRequestFailed } from "../../src/keys/ProviderHttp.ts"
import { makeGuardedHttp } from "../../src/verify/opaque/guardedHttp.ts"

const answer: ProviderAnswer = { body: {}, cacheControl: undefined }
const request = { url: "https://idp.example/userinfo", allowedDomains: [] }

type Ask = Effect.Effect<ProviderAnswer, ProviderRequestFailed>

/** A guarded provider that counts how often it was asked, and how many asked at the same time. */
const guard = Effect.fnUntraced(function*(ask: () => Ask) {
  const seen = { asked: 0, open: 0, most: 0 }
  const http = yield* makeGuardedHttp("people", {
    send: () =>
      Effect.suspend(() => {
        seen.asked++
        seen.open++
        seen.most = Math.max(seen.most, seen.open)
        return Effect.ensuring(ask(), Effect.sync(() => seen.open--))
      })
  })
  const kind = Effect.map(
    Effect.result(http.send(request)),
    (result) => result._tag === "Success" ? "Answered" : result.failure.kind
  )
  return { kind, seen }
})

const withStore = Effect.provide(CircuitBreaker.layerStoreMemory())

const failing = (kind: "Unreachable" | "Status", status?: number) => () =>
  Effect.fail(new ProviderRequestFailed({ kind, url: request.url, status }))

describe("makeGuardedHttp", () => {
  it.effect("OPQ-07 leaves a provider alone for 10 seconds after 5 failures in a row, and probes it with one question", () =>
    Effect.gen(function*() {
      let up = false
      const { kind, seen } = yield* guard(() => up ? Effect.succeed(answer) : failing("Unreachable")())
      for (let i = 0; i < 5; i++) assert.strictEqual(yield* kind, "Unreachable")
      for (let i = 0; i < 100; i++) assert.strictEqual(yield* kind, "CircuitOpen")
      assert.strictEqual(seen.asked, 5)
      up = true
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* kind, "Answered")
      assert.strictEqual(yield* kind, "Answered")
      assert.strictEqual(seen.asked, 7)
    }).pipe(Effect.scoped, withStore))

  it.effect("OPQ-11 what a client's token can provoke opens no circuit", () =>
    Effect.gen(function*() {
      const { kind, seen } = yield* guard(failing("Status", 400))
      for (let i = 0; i < 50; i++) assert.strictEqual(yield* kind, "Status")
      assert.strictEqual(seen.asked, 50)
    }).pipe(Effect.scoped, withStore))

  it.effect("OPQ-11 asks at most 32 questions at a time, lets 256 wait, refuses the rest, and then is as good as new", () =>
    Effect.gen(function*() {
      const release = yield* Deferred.make<void>()
      const { kind, seen } = yield* guard(() => Effect.as(Deferred.await(release), answer))
      const flood = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 5_000 }, () => kind), { concurrency: "unbounded" })
      )
      yield* Effect.yieldNow
      yield* TestClock.adjust("1 second")
      assert.strictEqual(seen.most, 32)
      yield* Deferred.succeed(release, undefined)
      const kinds = yield* Fiber.join(flood)
      assert.strictEqual(kinds.filter((kind) => kind === "Answered").length, 32 + 256)
      assert.strictEqual(kinds.filter((kind) => kind === "Overloaded").length, 5_000 - 32 - 256)
      assert.strictEqual(yield* kind, "Answered")
    }).pipe(Effect.scoped, withStore))

  it.effect("OPQ-07 a question that gets no turn in 6 seconds is refused, and blames nobody", () =>
    Effect.gen(function*() {
      let idle = false
      const { kind } = yield* guard(() => idle ? Effect.succeed(answer) : Effect.never)
      const waiting = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 40 }, () => kind), { concurrency: "unbounded" })
      )
      yield* Effect.yieldNow
      yield* TestClock.adjust("6 seconds")
      const kinds = new Set(yield* Fiber.join(waiting))
      assert.deepStrictEqual([...kinds], ["Overloaded"])
      idle = true
      assert.strictEqual(yield* kind, "Answered")
    }).pipe(Effect.scoped, withStore))
})
