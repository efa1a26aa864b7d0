import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Requester } from "../../src/fairness/Requester.ts"
import { ProviderRequestFailed, type ProviderResponse } from "../../src/remote/ProviderHttp.ts"
import { makeGuardedHttp } from "../../src/verify/opaque/guardedHttp.ts"
import { withoutClient } from "../support/withoutClient.ts"

const response: ProviderResponse = { body: {}, cacheControl: undefined }

type Ask = Effect.Effect<ProviderResponse, ProviderRequestFailed>

/** A guarded provider that counts how often it was asked, and how many asked at the same time. */
const guard = (ask: (token: string) => Ask, sharedIo = true) => {
  const seen = { asked: 0, open: 0, most: 0 }
  const http = makeGuardedHttp({
    send: ({ url }) =>
      Effect.suspend(() => {
        seen.asked++
        seen.open++
        seen.most = Math.max(seen.most, seen.open)
        return Effect.ensuring(ask(url.split("#")[1] ?? ""), Effect.sync(() => seen.open--))
      })
  }, sharedIo)
  const about = (token: string) =>
    Effect.map(
      Effect.result(http.send({ url: `https://idp.example/userinfo#${token}`, allowedDomains: [] })),
      (result) => result._tag === "Success" ? "Responded" : result.failure.kind
    )
  return { about, kind: about("token"), seen }
}

const from = (group: string, member = "only", isKnown = false) =>
  Effect.provideService(Requester, { group, member, isKnown })

const tally = (kinds: ReadonlyArray<string>): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

const failing = (kind: "Unreachable" | "Status" | "Timeout", status?: number) => () =>
  Effect.fail(new ProviderRequestFailed({ kind, url: "https://idp.example/userinfo", status }))

/** A provider that is well, but for certain tokens. */
const failsOverOddTokens = (token: string): Ask =>
  token.startsWith("odd") ? failing("Status", 500)() : Effect.succeed(response)

/** Connections of a peer that ask about invented tokens, `each` at a time and without a pause, for as long as the test runs. */
const flood = (about: ReturnType<typeof guard>["about"], connections: number, each: number) =>
  Effect.forEach(
    Array.from({ length: connections }),
    (_, connection) =>
      Effect.forEach(
        Array.from({ length: each }),
        () =>
          Effect.forkChild(
            Effect.forever(
              Effect.andThen(from("flood", `${connection}`)(about("invented")), Effect.sleep("100 millis"))
            )
          )
      ),
    { discard: true }
  )

describe("makeGuardedHttp", () => {
  it.effect("OPQ-07 sends nothing for 10 seconds after 5 failures in a row, and then probes with one request", () =>
    Effect.gen(function*() {
      let up = false
      const { kind, seen } = guard(() => up ? Effect.succeed(response) : failing("Unreachable")())
      for (let i = 0; i < 5; i++) assert.strictEqual(yield* kind, "Unreachable")
      for (let i = 0; i < 100; i++) assert.strictEqual(yield* kind, "CircuitOpen")
      assert.strictEqual(seen.asked, 5)
      up = true
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* kind, "Responded")
      assert.strictEqual(yield* kind, "Responded")
      assert.strictEqual(seen.asked, 7)
    }))

  it.effect("EMBED-23 requests whose clients have left without notice do not block turns or probes of the others", () =>
    Effect.gen(function*() {
      const { about, seen } = guard(
        (token) =>
          token === "left" ? Effect.never : token === "bad" ? failing("Unreachable")() : Effect.succeed(response),
        false
      )
      for (let i = 0; i < 40; i++) yield* Effect.forkChild(withoutClient(about("left")), { startImmediately: true })
      assert.strictEqual(seen.asked, 32)
      yield* TestClock.adjust("2 seconds")
      const waiting = yield* Effect.forkChild(about("good"), { startImmediately: true })
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(seen.asked, 32)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(waiting), "Responded")

      // A provider that is down is probed again although a client left with its probe.
      for (let i = 0; i < 5; i++) assert.strictEqual(yield* about("bad"), "Unreachable")
      yield* TestClock.adjust("10 seconds")
      yield* Effect.forkChild(withoutClient(about("left")), { startImmediately: true })
      assert.strictEqual(yield* about("good"), "CircuitOpen")
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(yield* about("good"), "Responded")
    }))

  it.effect("OPQ-11 responses that a client's token can provoke do not open the circuit", () =>
    Effect.gen(function*() {
      const { kind, seen } = guard(failing("Status", 400))
      for (let i = 0; i < 50; i++) assert.strictEqual(yield* kind, "Status")
      assert.strictEqual(seen.asked, 50)
    }))

  it.effect("OPQ-11 sends at most 32 requests at a time, queues 1,024, fails the rest, and recovers completely", () =>
    Effect.gen(function*() {
      const release = yield* Deferred.make<void>()
      const { kind, seen } = guard(() => Effect.as(Deferred.await(release), response))
      const flood = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 5_000 }, () => kind), { concurrency: "unbounded" })
      )
      yield* Effect.yieldNow
      yield* TestClock.adjust("1 second")
      assert.strictEqual(seen.most, 32)
      yield* Deferred.succeed(release, undefined)
      const kinds = yield* Fiber.join(flood)
      assert.strictEqual(kinds.filter((kind) => kind === "Responded").length, 32 + 1_024)
      assert.strictEqual(kinds.filter((kind) => kind === "Overloaded").length, 5_000 - 32 - 1_024)
      assert.strictEqual(yield* kind, "Responded")
    }))

  it.effect("OPQ-07 a request that waits for 6 seconds fails, and does not count as the provider's failure", () =>
    Effect.gen(function*() {
      let idle = false
      const { kind } = guard(() => idle ? Effect.succeed(response) : Effect.never)
      const waiting = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 40 }, () => kind), { concurrency: "unbounded" })
      )
      yield* Effect.yieldNow
      yield* TestClock.adjust("6 seconds")
      const kinds = new Set(yield* Fiber.join(waiting))
      assert.deepStrictEqual([...kinds], ["Overloaded"])
      idle = true
      assert.strictEqual(yield* kind, "Responded")
    }))

  it.effect("OPQ-07 passes good tokens of all peers although the provider fails for some tokens", () =>
    Effect.gen(function*() {
      for (
        const ask of [
          failsOverOddTokens,
          (token: string) => token.startsWith("odd") ? failing("Unreachable")() : Effect.succeed(response)
        ]
      ) {
        const { about } = guard(ask)
        const good: Array<string> = []
        for (let second = 0; second < 60; second++) {
          for (let index = 0; index < 5; index++) {
            yield* from("attacker", `${index}`)(about(`odd-${second}-${index}`))
          }
          for (const peer of ["attacker", "other"]) good.push(yield* from(peer, "good")(about(`good-${second}`)))
          yield* TestClock.adjust("1 second")
        }
        assert.deepStrictEqual(tally(good), { Responded: 120 })
      }
    }))

  it.effect("OPQ-07 opens the circuit on failures for the tokens of three peers, but not of two, and still lets a fourth peer probe", () =>
    Effect.gen(function*() {
      const { about, seen } = guard(failsOverOddTokens)
      const odd = (peer: string) => from(peer)(about("odd"))
      for (let index = 0; index < 20; index++) {
        assert.strictEqual(yield* odd(`peer-${index % 2}`), "Status")
      }
      assert.strictEqual(yield* odd("peer-2"), "Status")
      for (let index = 0; index < 30; index++) assert.strictEqual(yield* odd(`peer-${index % 3}`), "CircuitOpen")
      assert.strictEqual(seen.asked, 21)
      // Even when their pause is over, peers with failed requests do not come first.
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* odd("peer-0"), "CircuitOpen")
      assert.strictEqual(yield* from("fourth")(about("good")), "Responded")
      assert.strictEqual(yield* from("peer-0")(about("good")), "Responded")
    }))

  it.effect("OPQ-07 opens the circuit on failures that include a token that was good before, and lets such a token probe", () =>
    Effect.gen(function*() {
      let up = false
      const { about, seen } = guard(() => up ? Effect.succeed(response) : failing("Status", 503)())
      for (let index = 0; index < 5; index++) yield* from("one", "only", true)(about("known"))
      assert.strictEqual(yield* from("one")(about("new")), "Status")
      assert.strictEqual(yield* from("one")(about("new")), "CircuitOpen")
      assert.strictEqual(seen.asked, 6)
      up = true
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* from("one", "only", true)(about("known")), "Responded")
      assert.strictEqual(yield* from("one")(about("new")), "Responded")
    }))

  it.effect("OPQ-07 probes with one new peer at a time while the provider is down, and serves all when it responds", () =>
    Effect.gen(function*() {
      let up = false
      const { about, seen } = guard(() =>
        Effect.andThen(
          Effect.sleep("5 seconds"),
          Effect.suspend(() => up ? Effect.succeed(response) : failing("Timeout")())
        )
      )
      const ask = (peers: number, prefix: string) =>
        Effect.forkChild(Effect.all(
          Array.from({ length: peers }, (_, index) => from(`${prefix}-${index}`)(about("token"))),
          { concurrency: "unbounded" }
        ))
      const first = yield* ask(10, "first")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(tally(yield* Fiber.join(first)), { Timeout: 10 })
      const second = yield* ask(50, "second")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(tally(yield* Fiber.join(second)), { Timeout: 1, CircuitOpen: 49 })
      assert.strictEqual(seen.asked, 11)
      up = true
      const third = yield* ask(1, "third")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(tally(yield* Fiber.join(third)), { Responded: 1 })
      const fourth = yield* ask(20, "first")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(tally(yield* Fiber.join(fourth)), { Responded: 20 })
    }))

  for (const [name, peer] of [["another peer", "good"], ["another connection of the same peer", "flood"]] as const) {
    it.effect(`OPQ-11 accepts new tokens of ${name} while 400 connections send invented tokens`, () =>
      Effect.gen(function*() {
        const { about, seen } = guard(() => Effect.as(Effect.sleep("100 millis"), response))
        yield* flood(about, 400, 3)
        yield* TestClock.adjust("2 seconds")
        const good: Array<string> = []
        for (let count = 0; count < 60; count++) {
          yield* Effect.forkChild(
            Effect.tap(from(peer, `caller-${count}`)(about("good")), (kind) => Effect.sync(() => good.push(kind)))
          )
          yield* TestClock.adjust("200 millis")
        }
        yield* TestClock.adjust("7 seconds")
        assert.deepStrictEqual(tally(good), { Responded: 60 })
        assert.strictEqual(seen.most, 32)
      }))
  }

  it.effect("OPQ-11 reserves 8 requests at a time for tokens that were good before", () =>
    Effect.gen(function*() {
      const { about, seen } = guard(() => Effect.as(Effect.sleep("5 seconds"), response))
      yield* flood(about, 100, 20)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(seen.open, 32)
      const renewals = yield* Effect.forkChild(Effect.all(
        Array.from({ length: 12 }, (_, index) => from("flood", `${index}`, true)(about("known"))),
        { concurrency: "unbounded" }
      ))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(seen.open, 40)
      yield* TestClock.adjust("5999 millis")
      assert.deepStrictEqual(tally(yield* Fiber.join(renewals)), { Responded: 8, Overloaded: 4 })
    }))

  it.effect("fails all waiting requests at once when the provider turns out to be down", () =>
    Effect.gen(function*() {
      const release = yield* Deferred.make<void>()
      const { about, seen } = guard(() => Effect.andThen(Deferred.await(release), failing("Status", 500)()))
      const waiting = yield* Effect.forkChild(Effect.all(
        Array.from({ length: 1_056 }, (_, index) => from(`peer-${index}`)(about("token"))),
        { concurrency: "unbounded" }
      ))
      yield* TestClock.adjust("1 second")
      yield* Deferred.succeed(release, undefined)
      const kinds = tally(yield* Fiber.join(waiting))
      assert.strictEqual(kinds["Status"], seen.asked)
      assert.strictEqual((kinds["Status"] ?? 0) + (kinds["CircuitOpen"] ?? 0), 1_056)
      assert.isAtMost(seen.asked, 40)
    }))
})
