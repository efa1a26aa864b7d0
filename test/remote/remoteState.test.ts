import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { providerLimits as limits } from "../../src/remote/providerLimits.ts"
import * as State from "../../src/remote/remoteState.ts"
import * as RemoteValue from "../../src/remote/RemoteValue.ts"
import { makeSteadyMillis } from "../../src/remote/steadyMillis.ts"

/** Around every limit, and far beyond. */
const millis = Schema.Literals([1, 9_999, 10_000, 20_000, 29_999, 30_000, 50_000, 60_000, 3_590_000])

const kinds = Schema.Literals(["need", "miss", "success", "failure", "pass"])

// Not shorter: an hour of grace is reached in a dozen events.
const events = Schema.Array(Schema.Struct({ kind: kinds, millis }))
  .check(Schema.isMinLength(30), Schema.isMaxLength(100))

const freshMillis = 60_000

type Events = typeof events.Type

interface Start {
  readonly at: number
  readonly extra: boolean
}

/** The events, in terms that are independent of the machine. */
interface History {
  readonly now: number
  readonly fetching: boolean
  readonly freshUntil: number | undefined
  readonly staleUntil: number | undefined
  /** When the last fetch failed; `undefined` once one has succeeded. */
  readonly failedAt: number | undefined
}

interface Asked extends History {
  readonly state: State.RemoteState<string>
  readonly step: State.Step
  readonly phase: State.Phase
}

/**
 * Simulates the callers and the provider: a fetch begins when the machine decides so, and ends with `success` or
 * `failure`.
 */
const play = (events: Events) => {
  let state: State.RemoteState<string> = State.initial
  let history: History = {
    now: 0,
    fetching: false,
    freshUntil: undefined,
    staleUntil: undefined,
    failedAt: undefined
  }
  const starts: Array<Start & History> = []
  const asked: Array<Asked> = []

  const begin = (extra: boolean) => {
    starts.push({ ...history, at: history.now, extra })
    state = State.started(state, history.now, limits, extra)
    history = { ...history, fetching: true }
  }

  for (const { kind, millis } of events) {
    const { fetching, now } = history
    switch (kind) {
      case "need": {
        const step = State.onNeed(state, now)
        asked.push({ ...history, state, step, phase: State.phase(state, now) })
        if (step === "UseAndFetch" || (step === "Await" && !fetching)) begin(false)
        break
      }
      case "miss":
        if (State.onMiss(state, now) === "Await" && !fetching) begin(true)
        break
      case "success":
        if (fetching) {
          state = State.succeeded(state, now, limits, { value: `at ${now}`, freshMillis })
          const freshUntil = now + freshMillis
          history = {
            now,
            fetching: false,
            freshUntil,
            staleUntil: freshUntil + limits.staleMillis,
            failedAt: undefined
          }
        }
        break
      case "failure":
        if (fetching) {
          state = State.failed(state, now, limits)
          history = { ...history, fetching: false, failedAt: now }
        }
        break
      case "pass":
        history = { ...history, now: now + millis }
    }
  }
  return { asked, starts }
}

const serves = (step: State.Step) => step === "Use" || step === "UseAndFetch"

const property = (name: string, check: (played: ReturnType<typeof play>) => void) =>
  it.effect.prop(name, { events }, ({ events }) => Effect.sync(() => check(play(events))), {
    arbitrary: { runs: 1000 }
  })

const step = (kind: Events[number]["kind"], millis: Events[number]["millis"] = 1): Events[number] => ({
  kind,
  millis
})

/** The contents of a store. */
const stored = (freshUntil: number, extraAt: number) => ({
  ...State.initial,
  held: State.heldUntil("stored", freshUntil, limits),
  extraAt
})

describe("remoteState", () => {
  property("never fetches twice at once", ({ starts }) => {
    for (const { fetching } of starts) assert.isFalse(fetching)
  })

  property("after a failure fetches nothing before the back-off has passed", ({ starts }) => {
    for (const { at, failedAt } of starts) {
      if (failedAt !== undefined) assert.isAtLeast(at - failedAt, limits.backOffMillis)
    }
  })

  property("fetches at most once in 30 seconds for what a value lacks, failed attempts included", ({ starts }) => {
    const extras = starts.filter(({ extra }) => extra)
    extras.slice(1).forEach(({ at }, index) => {
      assert.isAtLeast(at - (extras[index]?.at ?? Number.NaN), limits.extraMillis)
    })
  })

  property("serves nothing after the hour of grace", ({ asked }) => {
    for (const { now, staleUntil, step } of asked) {
      if (serves(step)) assert.isTrue(staleUntil !== undefined && now < staleUntil)
    }
  })

  property("serves past the end of freshness only after a failure, which is not long ago", ({ asked }) => {
    for (const { failedAt, freshUntil, now, step } of asked) {
      if (serves(step) && freshUntil !== undefined && now >= freshUntil) {
        assert.isTrue(failedAt !== undefined && now - failedAt < limits.downMillis)
      }
    }
  })

  property("always serves what is fresh, and within the hour what a failing provider has sent", ({ asked }) => {
    for (const { failedAt, freshUntil, now, staleUntil, step } of asked) {
      if (freshUntil !== undefined && now < freshUntil) assert.isTrue(serves(step))
      const isDown = failedAt !== undefined && now - failedAt < limits.backOffMillis
      if (staleUntil !== undefined && now < staleUntil && isDown) assert.isTrue(serves(step))
    }
  })

  property("gives up only without a value and within the back-off", ({ asked }) => {
    for (const { failedAt, fetching, now, phase, staleUntil, step } of asked) {
      if (step !== "GiveUp") continue
      assert.strictEqual(phase, "unavailable")
      assert.isFalse(fetching)
      assert.isTrue(failedAt !== undefined && now - failedAt < limits.backOffMillis)
      assert.isTrue(staleUntil === undefined || now >= staleUntil)
    }
  })

  property("names a phase that agrees with what it tells callers", ({ asked }) => {
    const expected: Record<State.Step, ReadonlyArray<State.Phase>> = {
      Use: ["fresh", "refreshing", "stale"],
      UseAndFetch: ["fresh", "stale"],
      Await: ["empty", "pending", "expired", "unavailable"],
      GiveUp: ["unavailable"]
    }
    for (const { failedAt, freshUntil, phase, state, step } of asked) {
      assert.include(expected[step], phase)
      if (State.hasValue(phase)) assert.isDefined(state.held)
      if (phase === "stale" || phase === "expired") assert.isDefined(freshUntil)
      if (phase === "unavailable") assert.isDefined(failedAt)
      if (phase === "empty" || phase === "pending") assert.isUndefined(failedAt)
    }
  })

  property("makes no caller wait without a running fetch", ({ asked, starts }) => {
    for (const { fetching, failedAt, now, step } of asked) {
      if (step !== "Await" || fetching) continue
      assert.isTrue(failedAt === undefined || now - failedAt >= limits.backOffMillis)
      assert.isTrue(starts.some(({ at, extra }) => at === now && !extra))
    }
  })

  it("reaches every phase and every step, so that the properties cover them all", () => {
    const { asked } = play([
      step("need"), // empty
      step("need"), // pending
      step("failure"),
      step("need"), // unavailable, rejected
      step("pass", 10_000),
      step("need"), // unavailable, waits
      step("success"),
      step("need"), // fresh
      step("pass", 50_000),
      step("need"), // fresh, and fetched ahead
      step("need"), // refreshing
      step("failure"),
      step("pass", 10_000),
      step("need"), // stale, and fetched
      step("need"), // stale
      step("failure"),
      step("pass", 20_000),
      step("need") // expired
    ])
    assert.deepStrictEqual(asked.map(({ phase, step }) => `${phase}: ${step}`), [
      "empty: Await",
      "pending: Await",
      "unavailable: GiveUp",
      "unavailable: Await",
      "fresh: Use",
      "fresh: UseAndFetch",
      "refreshing: Use",
      "stale: UseAndFetch",
      "stale: Use",
      "expired: Await"
    ])
  })

  it("takes the back-off of other instances from a store", () => {
    const started = State.started(State.initial, 0, limits, false)
    assert.strictEqual(State.onMiss(State.rested(State.adopted(started, stored(freshMillis, 0))), 0), "Await")
    const taken = State.rested(State.adopted(started, stored(freshMillis, 20_000)))
    assert.strictEqual(taken.held?.value, "stored")
    assert.strictEqual(State.onMiss(taken, 19_999), "GiveUp")
    assert.strictEqual(State.onMiss(taken, 20_000), "Await")
    // The local state counts, too.
    const later = State.adopted(State.started(taken, 20_000, limits, true), stored(20_000 + freshMillis, 20_001))
    assert.strictEqual(State.onMiss(State.rested(later), 49_999), "GiveUp")
  })

  it("takes over from a store what is newer, and the back-off of others", () => {
    const own = State.succeeded(State.initial, 0, limits, { value: "own", freshMillis })
    const theirs = { ...State.initial, held: State.heldUntil("theirs", freshMillis - 1, limits) }
    assert.strictEqual(State.adopted(own, theirs).held?.value, "own")
    const failed = State.failed<string>(State.initial, 5_000, limits)
    assert.strictEqual(State.onNeed(State.adopted(State.initial, failed), 5_001), "GiveUp")
    assert.strictEqual(State.onNeed(State.adopted(failed, State.initial), 5_001), "GiveUp")
    // A newer value ends it.
    const newer = { ...State.initial, held: State.heldUntil("newer", 6_000 + freshMillis, limits) }
    assert.strictEqual(State.onNeed(State.adopted(failed, newer), 6_000), "Use")
  })
})

const steps = Schema.Array(
  Schema.Struct({
    kind: Schema.Literals(["need", "need", "miss", "up", "down", "pass", "pass", "back", "forward"]),
    millis
  })
).check(Schema.isMinLength(10), Schema.isMaxLength(60))

type Steps = typeof steps.Type

/** Runs the steps on a value whose fetches end at once. Times are those that pass without the steps of the clock. */
const run = Effect.fnUntraced(function*(steps: Steps) {
  const fetches: Array<number> = []
  const outcomes: Array<string> = []
  let elapsed = 0
  let isUp = true
  const value = RemoteValue.make({
    scope: yield* Effect.scope,
    fetch: () =>
      Effect.suspend(() => {
        fetches.push(elapsed)
        return isUp ? Effect.succeed({ value: elapsed, freshMillis }) : Effect.fail("down" as const)
      }),
    limits,
    backedOff: () => "down" as const
  })
  const note = (outcome: Effect.Effect<{ readonly value: number }, "down">) =>
    Effect.map(
      Effect.match(outcome, { onFailure: (reason) => reason, onSuccess: ({ value }) => `of ${value}` }),
      (outcome) => outcomes.push(`${elapsed}: ${outcome}`)
    )
  for (const { kind, millis } of steps) {
    switch (kind) {
      case "need":
        yield* note(value.current)
        break
      case "miss":
        yield* note(value.refetched)
        break
      case "up":
      case "down":
        isUp = kind === "up"
        break
      case "pass":
        elapsed += millis
        yield* TestClock.adjust(millis)
        break
      case "back":
      case "forward": {
        const now = yield* TestClock.testClockWith((clock) => clock.currentTimeMillis)
        yield* TestClock.setTime(now + (kind === "back" ? -millis : millis))
      }
    }
    // A fetch that was started for later callers is done before the next step.
    yield* Effect.yieldNow
  }
  return { fetches, outcomes }
})

describe("RemoteValue and the clock", () => {
  it.effect.prop(
    "CACHE-07 a clock that steps back causes neither a storm nor a longer back-off nor a longer life",
    { steps },
    Effect.fnUntraced(function*({ steps }) {
      const backwards = steps.filter(({ kind }) => kind !== "forward")
      const straight = backwards.filter(({ kind }) => kind !== "back")
      assert.deepStrictEqual(yield* run(backwards), yield* run(straight))
    }),
    { arbitrary: { runs: 300 } }
  )

  it.effect.prop(
    "CACHE-07 a clock that steps forward and back causes at most one fetch for each step",
    { steps },
    Effect.fnUntraced(function*({ steps }) {
      const forward = steps.filter(({ kind }) => kind === "forward").length
      // For a provider that is down, the worst case.
      const down = [{ kind: "down", millis: 1 } as const, ...steps.filter(({ kind }) => kind !== "up")]
      const { fetches } = yield* run(down)
      const early = fetches.slice(1).filter((at, index) => at - (fetches[index] ?? 0) < limits.backOffMillis)
      assert.isAtMost(early.length, forward)
    }),
    { arbitrary: { runs: 300 } }
  )

  it.effect("CACHE-07 follows the wall clock when the machine has slept, but not when it steps back", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const time = { wall: 1_000_000, monotonic: 7_000 }
      const steady = makeSteadyMillis()
      const after = (wall: number, monotonic: number): number => {
        time.wall += wall
        time.monotonic += monotonic
        return steady({
          ...clock,
          currentTimeMillisUnsafe: () => time.wall,
          monotonicTimeNanosUnsafe: () => BigInt(time.monotonic * 1_000_000)
        })
      }
      assert.strictEqual(after(0, 0), 1_000_000)
      assert.strictEqual(after(10, 10), 1_000_010)
      assert.strictEqual(after(-500_000, 10), 1_000_020)
      assert.strictEqual(after(10, 10), 1_000_030)
      // That makes good for the step back.
      assert.strictEqual(after(500_000, 0), 1_000_030)
      // The monotonic clock stands still while a machine sleeps.
      assert.strictEqual(after(3_600_000, 10), 4_600_020)
      assert.strictEqual(after(-3_600_000, 10), 4_600_030)
      assert.strictEqual(after(3_600_000, 10), 4_600_040)
    }))
})
