import { assert, describe, it, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import type { Charge, Counting, LimitCounters } from "../../src/limits/LimitStore.ts"
import { makeMemoryCounters } from "../../src/limits/memoryCounters.ts"
import { makeRedisCounters } from "../../src/limits/redisCounters.ts"
import { makeRedis } from "../../src/node/store/redis.ts"
import { eventually } from "../fixtures/eventually.ts"
import { type RedisServer, startRedis } from "../support/RedisServer.ts"
import { mayPass, type Passed } from "./oracle.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Step = Schema.Struct({ key: between(0, 2), pauseMillis: between(0, 40_000), tokens: between(1, 3) })

const Sequence = {
  algorithm: Schema.Literals(["fixed-window", "token-bucket"]),
  limit: between(1, 7),
  // Longer than the test takes: in the store a counter ends by the clock of the store.
  windowSeconds: between(300, 900),
  steps: Schema.Array(Step).check(Schema.isMaxLength(40))
}

const chargeOf = (counting: Counting, key: string, tokens: number, owner = "owner"): Charge => ({
  limit: JSON.stringify(counting),
  key,
  owner,
  counting,
  tokens
})

/** Plays a sequence, and compares each verdict with the oracle's. */
const play = Effect.fnUntraced(function*(
  counters: LimitCounters,
  { algorithm, limit, steps, windowSeconds }: {
    readonly algorithm: Counting["algorithm"]
    readonly limit: number
    readonly windowSeconds: number
    readonly steps: ReadonlyArray<typeof Step.Type>
  },
  run: string
) {
  const counting = { algorithm, limit, windowMillis: windowSeconds * 1000 }
  const passed = new Map<number, Array<Passed>>()
  for (const { key, pauseMillis, tokens } of steps) {
    yield* TestClock.adjust(pauseMillis)
    const now = yield* Clock.currentTimeMillis
    const before = passed.get(key) ?? []
    const charge = [chargeOf(counting, `${run} ${key}`, tokens)]
    const looked = yield* counters.charge(charge, "look")
    const exceeded = yield* counters.charge(charge, "count")
    assert.deepStrictEqual(looked, exceeded)
    assert.strictEqual(exceeded === undefined, mayPass(counting, before, tokens, now), JSON.stringify(before))
    if (exceeded === undefined) {
      passed.set(key, [...before, { at: now, tokens }])
      continue
    }
    assert.isTrue(exceeded.waitMillis > 0 && exceeded.waitMillis <= counting.windowMillis)
    // `Retry-After` is never too early, and at most one tick too late.
    if (tokens > limit) continue
    const due = now + Math.ceil(exceeded.waitMillis)
    assert.isTrue(mayPass(counting, before, tokens, due), "too early")
    assert.isFalse(mayPass(counting, before, tokens, due - 2), "too late")
  }
})

const counting: Counting = { algorithm: "fixed-window", limit: 2, windowMillis: 60_000 }

/** An owner with one counter, which is full. */
const ofItsOwn = (name: string) => chargeOf(counting, name, 2, name)

const crypto = Layer.mergeAll(
  Digest.layerWebCrypto,
  Layer.provideMerge(Mac.layerWebCrypto, SecureRandom.layerWebCrypto)
)

class Store extends Context.Service<Store, { readonly server: RedisServer; readonly redis: Redis.Redis["Service"] }>()(
  "test/limits/Store"
) {
  static readonly layer = Layer.effect(
    Store,
    Effect.gen(function*() {
      const server = yield* startRedis()
      const redis = yield* Effect.orDie(
        makeRedis({ storeUrl: server.url, storePassword: undefined }, undefined)
      )
      yield* eventually(Effect.isSuccess(redis.send("PING")))
      return Store.of({ server, redis })
    })
  )
}

/** The store, with the time of the test in place of its own. */
const onTestTime = (redis: Redis.Redis["Service"]): Redis.Redis["Service"] => ({
  ...redis,
  eval: (script) => (...params) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      redis.eval({
        ...script,
        lua: script.lua.replace("redis.call(\"TIME\")", `{ "${Math.floor(now / 1000)}", "${now % 1000 * 1000}" }`)
      })(...params))
})

describe("counters in memory", () => {
  let run = 0
  it.effect.prop(
    "LIMIT-01 MUST let through what the limit allows in any window, and no more",
    Sequence,
    (sequence) => play(makeMemoryCounters(), sequence, String(run++))
  )

  it.effect("LIMIT-02 MUST count nowhere what one of several limits rejects", () =>
    Effect.gen(function*() {
      const counters = makeMemoryCounters()
      const narrow = chargeOf(counting, "narrow", 1)
      const wide = chargeOf({ ...counting, limit: 3 }, "wide", 1)
      for (let index = 0; index < 2; index++) assert.isUndefined(yield* counters.charge([wide, narrow], "count"))
      for (let index = 0; index < 9; index++) {
        assert.strictEqual((yield* counters.charge([wide, narrow], "count"))?.index, 1)
      }
      assert.isUndefined(yield* counters.charge([wide], "count"))
      assert.strictEqual((yield* counters.charge([wide], "count"))?.index, 0)
    }))

  it.effect("LIMIT-03 MUST NOT forget a counter of an owner that fills its part of the memory", () =>
    Effect.gen(function*() {
      const counters = makeMemoryCounters({ counters: 100, perOwner: 10 })
      const first = chargeOf(counting, "first", 2, "flooder")
      assert.isUndefined(yield* counters.charge([first], "count"))
      const further = yield* Effect.forEach(
        Array.from({ length: 50 }),
        (_, index) => counters.charge([chargeOf(counting, `other ${index}`, 1, "flooder")], "count")
      )
      assert.strictEqual(further.filter((exceeded) => exceeded === undefined).length, 9)
      assert.isDefined(yield* counters.charge([first], "count"))
      // Others have room, and the owner has it again when its counters have ended.
      assert.isUndefined(yield* counters.charge([chargeOf(counting, "a", 1, "neighbour")], "count"))
      yield* TestClock.adjust(60_000)
      assert.isUndefined(yield* counters.charge([chargeOf(counting, "new", 1, "flooder")], "count"))
    }))

  it.effect("LIMIT-03 MUST hold no more counters than its bound, and drop first what ends first", () =>
    Effect.gen(function*() {
      const counters = makeMemoryCounters({ counters: 3, perOwner: 10 })
      for (const key of ["a", "b", "c"]) {
        assert.isUndefined(yield* counters.charge([ofItsOwn(key)], "count"))
        yield* TestClock.adjust(1_000)
      }
      assert.isUndefined(yield* counters.charge([ofItsOwn("d")], "count"))
      for (const key of ["b", "c", "d"]) assert.isDefined(yield* counters.charge([ofItsOwn(key)], "look"), key)
      assert.isUndefined(yield* counters.charge([ofItsOwn("a")], "look"))
    }))

  it.effect("LIMIT-01 MUST NOT make a window longer when the clock is set back", () =>
    Effect.gen(function*() {
      for (const algorithm of ["fixed-window", "token-bucket"] as const) {
        const counters = makeMemoryCounters()
        const charge = [chargeOf({ ...counting, algorithm }, "key", 2)]
        yield* TestClock.setTime(10_000_000)
        assert.isUndefined(yield* counters.charge(charge, "count"))
        yield* TestClock.setTime(1_000_000)
        assert.strictEqual((yield* counters.charge(charge, "count"))?.waitMillis, 60_000)
      }
    }))
})

layer(Layer.merge(Store.layer, crypto), { excludeTestServices: true, timeout: "60 seconds" })(
  "counters in Redis",
  (it) => {
    let run = 0
    it.effect.prop(
      "LIMIT-01 MUST let through what the limit allows in any window, and no more",
      Sequence,
      (sequence) =>
        Effect.gen(function*() {
          const { redis } = yield* Store
          const counters = yield* Effect.provideService(
            makeRedisCounters({ sessionKeys: [], storeKeyPrefix: "test:" }),
            Redis.Redis,
            onTestTime(redis)
          )
          yield* play(counters, sequence, String(run++)).pipe(Effect.provide(TestClock.layer()))
        })
    )

    it.effect("LIMIT-02 MUST count nowhere what one of several limits rejects", () =>
      Effect.gen(function*() {
        const { redis } = yield* Store
        const counters = yield* Effect.provideService(
          makeRedisCounters({ sessionKeys: [], storeKeyPrefix: "test:" }),
          Redis.Redis,
          redis
        )
        const narrow = chargeOf(counting, "narrow", 1)
        const wide = chargeOf({ ...counting, limit: 3 }, "wide", 1)
        for (let index = 0; index < 2; index++) assert.isUndefined(yield* counters.charge([wide, narrow], "count"))
        for (let index = 0; index < 9; index++) {
          assert.strictEqual((yield* counters.charge([wide, narrow], "count"))?.index, 1)
        }
        assert.isUndefined(yield* counters.charge([wide], "count"))
        assert.strictEqual((yield* counters.charge([wide], "count"))?.index, 0)
      }))

    for (const sessionKeys of [[], [Redacted.make("0123456789abcdef0123456789abcdef")]]) {
      it.effect(`LIMIT-09 MUST name no caller in the store, and keep nothing there for longer than a window (${sessionKeys.length} keys)`, () =>
        Effect.gen(function*() {
          const { redis, server } = yield* Store
          const prefix = `named-${sessionKeys.length}:`
          const counters = yield* Effect.provideService(
            makeRedisCounters({ sessionKeys, storeKeyPrefix: prefix }),
            Redis.Redis,
            redis
          )
          yield* counters.charge([chargeOf(counting, "alice@example.com", 1)], "count")
          const listed = yield* server.command("KEYS", `${prefix}*`)
          const [key = assert.fail(listed)] = new RegExp(`${prefix}limit:[0-9a-f]{64}\r\n`).exec(listed) ?? []
          assert.notInclude(yield* server.command("KEYS", "*"), "alice")
          const life = Number((yield* server.command("PTTL", key.trim())).slice(1))
          assert.isTrue(life > 0 && life <= 60_000)
        }))
    }

    it.effect("LIMIT-09 MUST give what is no counter in the store the meaning of nothing", () =>
      Effect.gen(function*() {
        const { redis, server } = yield* Store
        const counters = yield* Effect.provideService(
          makeRedisCounters({ sessionKeys: [], storeKeyPrefix: "odd:" }),
          Redis.Redis,
          redis
        )
        const charge = [chargeOf(counting, "key", 2)]
        yield* counters.charge(charge, "count")
        const [key = ""] = /odd:limit:[0-9a-f]{64}/.exec(yield* server.command("KEYS", "odd:*")) ?? []
        for (const value of ["", "nonsense", "-1 -1", "1 nan", "1e999 1e999", "2 99999999999999999"]) {
          yield* server.command("SET", key, value)
          const exceeded = yield* counters.charge(charge, "count")
          // The last one is a counter whose window cannot be so long.
          if (value.startsWith("2 ")) assert.isAtMost(exceeded?.waitMillis ?? 0, 60_000)
          else assert.isUndefined(exceeded, value)
        }
      }))
  }
)
