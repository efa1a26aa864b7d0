import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { nextPause, supervise } from "../../../src/node/workers/supervise.ts"

/** One stand-in for a worker process. */
interface Life {
  readonly number: number
  readonly beganAt: number
  /** Ends it, with a reason. */
  readonly end: (reason: string) => Effect.Effect<boolean>
  isAlive: boolean
  stopped: boolean
}

interface FakeOptions {
  /** What a worker does when it begins; it is ready once this succeeds. */
  readonly rise?: (life: Life) => Effect.Effect<unknown>
  readonly stop?: Effect.Effect<void>
}

/** Supervises stand-ins; returns all that have begun, and the announcements. */
const start = Effect.fnUntraced(function*(workers: number, { rise, stop = Effect.void }: FakeOptions = {}) {
  const lives: Array<Life> = []
  const announced: Array<string> = []
  const fiber = yield* Effect.forkChild(supervise({
    workers,
    announce: (url) => Effect.sync(() => announced.push(url)),
    fork: Effect.fnUntraced(function*(number) {
      const ended = yield* Deferred.make<string>()
      const end = (reason: string) => Deferred.succeed(ended, reason)
      const life: Life = { number, beganAt: yield* Clock.currentTimeMillis, end, isAlive: true, stopped: false }
      lives.push(life)
      yield* Effect.addFinalizer(() =>
        Effect.andThen(
          Effect.sync(() => {
            life.stopped = true
          }),
          stop
        )
      )
      return {
        pid: lives.length,
        ready: Effect.as(rise?.(life) ?? Effect.void, `http://worker-${number}`),
        ping: Effect.suspend(() => life.isAlive ? Effect.void : Effect.never),
        kill: Effect.asVoid(end("SIGKILL")),
        ended: Deferred.await(ended)
      }
    })
  }))
  yield* TestClock.adjust(0)
  const of = (number: number) => lives.filter((life) => life.number === number)
  const latest = (number: number) => of(number).at(-1) ?? assert.fail(`no worker ${number}`)
  return { fiber, lives, announced, of, latest }
})

const lifetimes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 120_000 })))

describe("the pause before a worker is replaced", () => {
  it.effect.prop(
    "OPS-01 MUST be 0.1 s after a life of a minute, and else double up to 30 s",
    { lifetimes: lifetimes.check(Schema.isMaxLength(20)) },
    ({ lifetimes }) =>
      Effect.sync(() => {
        let previous = 0
        for (const lived of lifetimes) {
          const pause = nextPause(previous, lived)
          const expected = lived >= 60_000 || previous === 0 ? 100 : Math.min(30_000, previous * 2)
          assert.strictEqual(pause, expected)
          assert.isTrue(pause >= 100 && pause <= 30_000)
          previous = pause
        }
      })
  )
})

describe("supervision of workers", () => {
  it.effect("OPS-02 MUST announce once, when the first is ready, and only then start the others", () =>
    Effect.gen(function*() {
      const go = yield* Deferred.make<void>()
      const { announced, latest, lives } = yield* start(3, { rise: () => Deferred.await(go) })
      assert.deepStrictEqual([lives.map(({ number }) => number), announced], [[1], []])
      yield* Deferred.succeed(go, undefined)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(lives.map(({ number }) => number), [1, 2, 3])
      yield* latest(1).end("SIGKILL")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(announced, ["http://worker-1"])
    }))

  it.effect("OPS-03 MUST fail, and start no other, when the first ends before it is ready", () =>
    Effect.gen(function*() {
      const { fiber, lives } = yield* start(3, {
        rise: (life) => Effect.andThen(life.end("exit code 1"), Effect.never)
      })
      assert.strictEqual(yield* Effect.flip(Fiber.join(fiber)), "exit code 1")
      assert.lengthOf(lives, 1)
    }))

  it.effect("OPS-04 MUST replace a worker that dies, and leave the others alone", () =>
    Effect.gen(function*() {
      const { latest, lives, of } = yield* start(3)
      yield* latest(2).end("SIGSEGV")
      yield* TestClock.adjust("99 millis")
      assert.lengthOf(lives, 3)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(of(2), 2)
      assert.lengthOf(lives, 4)
      assert.isTrue(of(2)[0]?.stopped)
      assert.deepStrictEqual([1, 2, 3].map((number) => latest(number).stopped), [false, false, false])
    }))

  it.effect("OPS-05 MUST bound a crash loop, and forget it after a minute of life", () =>
    Effect.gen(function*() {
      const { latest, of } = yield* start(2, {
        rise: (life) => life.number === 2 ? life.end("exit code 1") : Effect.void
      })
      yield* TestClock.adjust("1 hour")
      const begun = of(2).map(({ beganAt }) => beganAt)
      const pauses = begun.slice(1).map((at, index) => at - (begun[index] ?? 0))
      assert.deepStrictEqual(pauses.slice(0, 10), [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000])
      assert.isAtMost(begun.length, 130)
      assert.lengthOf(of(1), 1)
      // Positive control: one that has lived for long is replaced at once.
      yield* latest(1).end("SIGKILL")
      yield* TestClock.adjust("100 millis")
      assert.lengthOf(of(1), 2)
    }))

  it.effect("OPS-06 MUST kill and replace a worker that has not responded for half a minute, and no other", () =>
    Effect.gen(function*() {
      const { latest, of } = yield* start(2)
      yield* TestClock.adjust("1 hour")
      latest(2).isAlive = false
      yield* TestClock.adjust("29 seconds")
      assert.lengthOf(of(2), 1)
      yield* TestClock.adjust("7 seconds")
      assert.lengthOf(of(2), 2)
      assert.lengthOf(of(1), 1)
    }))

  it.effect("OPS-07 MUST NOT kill a worker that responds again in time, however often", () =>
    Effect.gen(function*() {
      const { latest, lives } = yield* start(2)
      for (let i = 0; i < 20; i++) {
        latest(2).isAlive = false
        yield* TestClock.adjust("24 seconds")
        latest(2).isAlive = true
        yield* TestClock.adjust("10 seconds")
      }
      assert.lengthOf(lives, 2)
    }))

  it.effect("OPS-08 MUST stop all workers at the same time when it is interrupted", () =>
    Effect.gen(function*() {
      const { fiber, lives } = yield* start(3, { stop: Effect.sleep("10 seconds") })
      const end = yield* Effect.forkChild(Effect.timed(Fiber.interrupt(fiber)))
      yield* TestClock.adjust("10 seconds")
      const [took] = yield* Fiber.join(end)
      assert.strictEqual(Duration.toMillis(took), 10_000)
      assert.deepStrictEqual(lives.map(({ stopped }) => stopped), [true, true, true])
    }))
})
