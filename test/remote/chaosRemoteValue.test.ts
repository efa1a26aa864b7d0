import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { WaitUntil } from "../../src/fairness/WaitUntil.ts"
import { providerLimits as limits } from "../../src/remote/providerLimits.ts"
import type { Fetched, RemoteState } from "../../src/remote/remoteState.ts"
import * as State from "../../src/remote/remoteState.ts"
import * as RemoteValue from "../../src/remote/RemoteValue.ts"
import { withoutClient } from "../support/withoutClient.ts"

type Options = RemoteValue.RemoteValueOptions<string, "down">

type Reply = Effect.Effect<Fetched<string>, "down">

const sent = (value: string): Reply => Effect.succeed({ value, freshMillis: 60_000 })

const down: Reply = Effect.fail("down")

/** A value whose provider sends these responses, one after the other, and the last one from then on. */
const setUp = Effect.fnUntraced(function*(
  responses: readonly [Reply, ...ReadonlyArray<Reply>],
  { onChange, sharedIo, store }: Pick<Partial<Options>, "onChange" | "sharedIo" | "store"> = {}
) {
  const fetches: Array<RemoteValue.FetchRequest<string>> = []
  const scope = yield* Scope.fork(yield* Effect.scope)
  const value = RemoteValue.make({
    scope,
    fetch: (request: RemoteValue.FetchRequest<string>) =>
      Effect.suspend(() => {
        fetches.push(request)
        return responses[fetches.length - 1] ?? responses.at(-1) ?? down
      }),
    limits,
    onChange,
    backedOff: () => "down" as const,
    store,
    sharedIo
  })
  return { fetches, scope, value }
})

/** The same where requests do not share I/O. */
const alone = (...responses: readonly [Reply, ...ReadonlyArray<Reply>]) => setUp(responses, { sharedIo: false })

const valueOf = Effect.map(({ value }: { readonly value: string }) => value)

const outcome = <E>(effect: Effect.Effect<{ readonly value: string }, E>) =>
  Effect.map(Effect.exit(valueOf(effect)), (exit) => Exit.isSuccess(exit) ? exit.value : Cause.squash(exit.cause))

describe("RemoteValue", () => {
  it.effect("JWKS-05 a caller that leaves at any moment delays no other", () =>
    Effect.gen(function*() {
      // One more yield each time, so that the caller is interrupted one step later.
      for (let moments = 0; moments < 12; moments++) {
        const { fetches, value } = yield* setUp([Effect.andThen(Effect.yieldNow, sent("a"))], {
          onChange: () => Effect.yieldNow
        })
        const leaving = yield* Effect.forkChild(value.current, { startImmediately: true })
        for (let moment = 0; moment < moments; moment++) yield* Effect.yieldNow
        yield* Fiber.interrupt(leaving)
        assert.strictEqual(yield* valueOf(value.current), "a", `after ${moments}`)
        assert.strictEqual(fetches.length, 1)
      }
    }))

  it.effect("JWKS-04 a fetch that dies counts as a failure, and the next one recovers", () =>
    Effect.gen(function*() {
      const fault = Effect.die("fault")
      const { fetches, value } = yield* setUp([fault, fault, sent("a"), fault, fault, sent("b")])
      assert.strictEqual(yield* outcome(value.current), "fault")
      for (let times = 0; times < 10; times++) {
        assert.strictEqual(yield* outcome(value.current), "fault")
        assert.strictEqual(yield* outcome(value.refetched), "fault")
      }
      assert.strictEqual(fetches.length, 1)
      yield* TestClock.adjust(limits.backOffMillis)
      assert.strictEqual(yield* outcome(value.current), "fault")
      yield* TestClock.adjust(limits.backOffMillis)
      assert.strictEqual(yield* outcome(value.current), "a")
      // The held value bridges a fault like any other failure.
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* value.current, { value: "a", stale: true })
      assert.strictEqual(fetches.length, 4)
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* value.current, { value: "a", stale: true })
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* value.current, { value: "b", stale: false })
    }))

  it.effect("JWKS-04 a listener that dies delays no caller", () =>
    Effect.gen(function*() {
      const { value } = yield* setUp([sent("a")], { onChange: () => Effect.die("listener") })
      assert.strictEqual(yield* outcome(value.current), "a")
      assert.strictEqual(yield* outcome(value.current), "a")
    }))

  it.effect("JWKS-03 callers of all kinds share one fetch", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { fetches, value } = yield* setUp([Effect.andThen(Deferred.await(gate), sent("a"))])
      const waiting = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 100 }, () => [value.current, value.refetched]).flat(), {
          concurrency: "unbounded"
        }),
        { startImmediately: true }
      )
      yield* value.prefetch
      yield* Deferred.succeed(gate, undefined)
      const values = yield* Fiber.join(waiting)
      assert.deepStrictEqual([...new Set(values.map(({ value }) => value))], ["a"])
      assert.strictEqual(fetches.length, 1)
    }))

  it.effect("JWKS-23 tells whether the fetch began after the caller came", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const entries: Array<RemoteState<string>> = []
      const store = {
        read: () => Effect.sync(() => entries.pop()),
        write: () => Effect.void,
        claim: () => Effect.succeed(true),
        release: () => Effect.void
      }
      const { fetches, value } = yield* setUp([Effect.andThen(Deferred.await(gate), sent("a")), sent("b")], { store })
      const first = yield* Effect.forkChild(value.current, { startImmediately: true })
      const second = yield* Effect.forkChild(value.current, { startImmediately: true })
      const third = yield* Effect.forkChild(value.refetched, { startImmediately: true })
      yield* Deferred.succeed(gate, undefined)
      assert.deepInclude(yield* Fiber.join(first), { value: "a", latest: true })
      assert.deepInclude(yield* Fiber.join(second), { value: "a", latest: false })
      assert.deepInclude(yield* Fiber.join(third), { value: "a", joined: true })
      // The value that others have stored is not the latest either.
      yield* TestClock.adjust("1 minute")
      entries.push({ ...State.initial, held: State.heldUntil("stored", 120_000, limits) })
      assert.deepInclude(yield* value.current, { value: "stored", latest: false })
      assert.deepInclude(yield* value.refetched, { value: "b", joined: false })
      assert.deepStrictEqual(fetches, [
        { extra: false, previous: undefined, uri: "" },
        { extra: true, previous: "stored", uri: "" }
      ])
    }))

  it.effect("JWKS-22 an old failure does not extend the life of a value", () =>
    Effect.gen(function*() {
      const { fetches, value } = yield* setUp([sent("a"), down, sent("b"), down])
      assert.strictEqual(yield* outcome(value.current), "a")
      // A short failure, during a fetch for something that the fresh value lacks.
      assert.strictEqual(yield* outcome(value.refetched), "down")
      yield* TestClock.adjust("30 minutes")
      assert.deepInclude(yield* value.current, { value: "b", latest: true, stale: false })
      assert.strictEqual(fetches.length, 3)
      // Positive control: a failure just now does.
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual(yield* outcome(value.current), "b")
      yield* Effect.yieldNow
      assert.strictEqual(fetches.length, 4)
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude(yield* value.current, { value: "b", latest: false, stale: true })
    }))

  describe("where requests do not share I/O", () => {
    it.effect("JWKS-03 one request fetches, and the others get what it has found", () =>
      Effect.gen(function*() {
        const { fetches, value } = yield* alone(Effect.delay(sent("a"), "3 seconds"), down)
        const waiting = yield* Effect.forkChild(
          Effect.all(Array.from({ length: 20 }, () => valueOf(value.current)), { concurrency: "unbounded" })
        )
        yield* TestClock.adjust("3 seconds")
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(waiting), Array.from({ length: 20 }, () => "a"))
        assert.strictEqual(fetches.length, 1)
        // Nor does a failure cause a request from each of them.
        yield* TestClock.adjust("1 hour")
        const failed = yield* Effect.forkChild(
          Effect.all(Array.from({ length: 20 }, () => outcome(value.refetched)), { concurrency: "unbounded" })
        )
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(new Set(yield* Fiber.join(failed)), new Set(["down"]))
        assert.strictEqual(fetches.length, 2)
      }))

    for (const [how, leave] of [["is interrupted", false], ["is dropped without a word", true]] as const) {
      it.effect(`EMBED-23 another takes over when the request that fetches ${how}`, () =>
        Effect.gen(function*() {
          for (const kind of ["current", "refetched"] as const) {
            const { fetches, value } = yield* alone(sent("a"), Effect.never, sent("b"))
            assert.strictEqual(yield* outcome(value.current), "a")
            if (kind === "current") yield* TestClock.adjust("60 seconds")
            const leaving = yield* Effect.forkChild(
              leave ? withoutClient<unknown, "down", never>(value[kind]) : value[kind],
              { startImmediately: true }
            )
            const waiting = yield* Effect.forkChild(outcome(value[kind]), { startImmediately: true })
            assert.strictEqual(fetches.length, 2)
            if (!leave) yield* Fiber.interrupt(leaving)
            yield* TestClock.adjust("1 second")
            yield* TestClock.adjust("100 millis")
            assert.strictEqual(yield* Fiber.join(waiting), "b")
            assert.strictEqual(fetches.length, 3)
            assert.strictEqual(yield* outcome(value.current), "b")
          }
        }))
    }

    it.effect("JWKS-22 a value that is about to expire is fetched by one request, and still serves the others", () =>
      Effect.gen(function*() {
        const { fetches, value } = yield* alone(sent("a"), Effect.delay(down, "1 second"))
        assert.strictEqual(yield* outcome(value.current), "a")
        // No work continues after a response.
        yield* value.prefetch
        yield* TestClock.adjust("55 seconds")
        yield* value.prefetch
        assert.strictEqual(fetches.length, 1)
        const first = yield* Effect.forkChild(outcome(value.current), { startImmediately: true })
        assert.strictEqual(yield* outcome(value.current), "a")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* Fiber.join(first), "a")
        assert.strictEqual(fetches.length, 2)
      }))
  })

  it.effect("JWKS-22 a value that is about to end is fetched after the response where the host keeps that alive", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { fetches, value } = yield* alone(sent("a"), Effect.andThen(Deferred.await(gate), sent("b")))
      const work: Array<Promise<unknown>> = []
      const given = Effect.provideService(WaitUntil, (promise: Promise<unknown>) => void work.push(promise))
      assert.strictEqual(yield* outcome(value.current), "a")
      yield* TestClock.adjust("55 seconds")
      // None of them waits, and one fetches.
      for (let i = 0; i < 3; i++) assert.strictEqual(yield* given(outcome(value.current)), "a")
      assert.strictEqual(fetches.length, 2)
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.promise(() => Promise.all(work))
      assert.strictEqual(yield* outcome(value.current), "b")
      // A value that has ended is waited for, as ever.
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(yield* given(outcome(value.current)), "b")
      assert.strictEqual(fetches.length, 3)
    }))

  it.effect("ends with its scope, and then no caller waits", () =>
    Effect.gen(function*() {
      const { scope, value } = yield* setUp([Effect.never])
      const waiting = yield* Effect.forkChild(value.current, { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(waiting)))
    }))
})
