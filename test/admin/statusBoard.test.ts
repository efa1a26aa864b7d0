import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { type Activity, idleServer, noActivity } from "../../src/admin/activity/Activity.ts"
import { AdminSource } from "../../src/admin/AdminSource.ts"
import { StatusBoard } from "../../src/admin/StatusBoard.ts"

/** A board over an activity that a test sets. */
const boardOver = (state: { activity: Activity; fails?: boolean }) => {
  const source = AdminSource.of({
    metrics: Effect.succeed([]),
    authorize: () => Effect.succeed("Rejected"),
    activity: Effect.suspend(() => state.fails === true ? Effect.die("gone") : Effect.succeed(state.activity)),
    providers: Effect.succeed({
      processes: 3,
      heard: 2,
      states: [{
        provider: "okta",
        ready: true,
        state: "fresh",
        keySets: [{
          source: "https://okta.example",
          phase: "fresh",
          keys: [],
          skipped: [],
          fetchedIn: -60_000,
          nextFetchIn: 240_000,
          failures: 0
        }]
      }]
    }),
    decisions: Effect.succeed([]),
    explain: () => Effect.undefined,
    facts: Effect.succeed({
      servers: [{ name: "wiki", upstream: "http://wiki/mcp", resource: undefined, providers: ["okta", "new"] }],
      providers: [{ name: "okta", type: "oidc" }, { name: "new", type: "oidc" }],
      warnings: ["unwise"],
      settings: []
    })
  })
  return Layer.provide(StatusBoard.layer, Layer.succeed(AdminSource, source))
}

const wiki = (passed: number, more: Partial<Activity["servers"][string]> = {}): Activity => ({
  ...noActivity,
  servers: { wiki: { ...idleServer, passed, ...more } }
})

/** The state of a server with this activity. */
const stateOf = (more: Partial<Activity["servers"][string]>) =>
  Effect.gen(function*() {
    return (yield* (yield* StatusBoard).status).servers[0]?.state
  }).pipe(Effect.provide(boardOver({ activity: wiki(1, more) })))

const at = (at: number, error = "UpstreamUnavailable") => ({ lastError: { at, error } })

describe("the status", () => {
  it.effect("samples the activity every ten seconds, also while no one reads it, and survives a fault", () => {
    const state: { activity: Activity; fails?: boolean } = { activity: wiki(0) }
    return Effect.gen(function*() {
      const board = yield* StatusBoard
      for (let slot = 1; slot <= 3; slot++) {
        state.activity = wiki(slot * 10)
        yield* TestClock.adjust("10 seconds")
      }
      state.fails = true
      yield* TestClock.adjust("10 seconds")
      state.fails = false
      state.activity = wiki(70)
      yield* TestClock.adjust("10 seconds")
      const { slots, traffic } = yield* board.status
      assert.deepStrictEqual(traffic.series.passed.slice(-5), [10, 10, 10, 0, 40])
      assert.strictEqual(traffic.sinceStart.passed, 70)
      assert.strictEqual(slots.until - 50_000, 0)
    }).pipe(Effect.provide(boardOver(state)))
  })

  it.effect("has the times of keys, the processes that replied, and providers that no process knows yet", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("2 hours")
      const { now, providers, startedAt, workers } = yield* (yield* StatusBoard).status
      assert.deepStrictEqual(workers, { configured: 3, heard: 2 })
      assert.deepStrictEqual([startedAt, now], [0, 7_200_000])
      const [okta, other] = providers
      assert.deepStrictEqual(okta?.keySets[0], {
        source: "https://okta.example",
        phase: "fresh",
        keys: [],
        skipped: [],
        fetchedAt: now - 60_000,
        nextFetchAt: now + 240_000,
        failures: 0
      })
      assert.deepStrictEqual([other?.ready, other?.state, other?.accepted], [false, "empty", 0])
    }).pipe(Effect.provide(boardOver({ activity: noActivity }))))

  it.effect("calls a server failing while its last error is newer than its last response", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* stateOf({}), "idle")
      assert.strictEqual(yield* stateOf({ lastResponseAt: 5 }), "ok")
      assert.strictEqual(yield* stateOf({ lastResponseAt: 5, ...at(4) }), "ok")
      assert.strictEqual(yield* stateOf({ lastResponseAt: 5, ...at(6) }), "failing")
      assert.strictEqual(yield* stateOf(at(6)), "failing")
      // It responds, if only with an error of its own.
      assert.strictEqual(yield* stateOf({ lastResponseAt: 6, ...at(7, "Status") }), "ok")
    }))
})
