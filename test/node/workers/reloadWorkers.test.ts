import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { Configuration, Preparation } from "../../../src/node/workers/messages.ts"
import { makeCrew, type ReloadedWorker } from "../../../src/node/workers/reloadWorkers.ts"
import { LogCapture } from "../../support/canary.ts"

const configuration = (generation: number): Configuration => ({ generation, sources: { variables: {} } })

const problem = { setting: "MCP_CA_FILE", source: undefined, problem: "cannot be read", fix: "Make it readable" }

interface Behaviour {
  readonly prepare?: Effect.Effect<Preparation>
  readonly commit?: Effect.Effect<boolean>
}

/** A worker that records its requests, and behaves well by default. */
const makeWorker = Effect.fnUntraced(function*({ commit = Effect.succeed(true), prepare }: Behaviour = {}) {
  const asked: Array<string> = []
  const ready = yield* Deferred.make<string>()
  const ended = yield* Deferred.make<string>()
  const worker: ReloadedWorker = {
    ready: Deferred.await(ready),
    ended: Deferred.await(ended),
    stop: Effect.sync(() => void asked.push("stop")),
    // Replies to the questions of a reload only, of which each has its own type.
    ask: ((name: string, input: Configuration | number) => {
      asked.push(
        typeof input === "number" ? `${name} ${input}` : input === undefined ? name : `${name} ${input.generation}`
      )
      switch (name) {
        case "prepare":
          return prepare ?? Effect.succeed({ _tag: "Prepared", notReady: ["idp"] })
        case "commit":
          return commit
        default:
          return Effect.succeed(true)
      }
    }) as ReloadedWorker["ask"]
  }
  return {
    worker,
    asked,
    becomeReady: Deferred.succeed(ready, ""),
    end: Deferred.succeed(ended, "SIGKILL")
  }
})

/** Workers that are ready, in a crew that has the first configuration. */
const start = Effect.fnUntraced(function*(...behaviours: ReadonlyArray<Behaviour>) {
  const crew = makeCrew(configuration(1))
  const workers = yield* Effect.forEach(behaviours, makeWorker)
  for (const [index, { becomeReady, worker }] of workers.entries()) {
    yield* crew.add(index + 1, worker, configuration(1))
    yield* becomeReady
  }
  yield* TestClock.adjust(1)
  return { crew, workers, asked: () => workers.map(({ asked }) => asked) }
})

describe("workers at a reload", () => {
  it.effect("RELOAD-07 all take the configuration once all have prepared it", () =>
    Effect.gen(function*() {
      const { asked, crew } = yield* start({}, {}, {})
      assert.deepStrictEqual(yield* crew.install(configuration(2)), ["idp"])
      assert.deepStrictEqual(asked(), Array.from({ length: 3 }, () => ["prepare 2", "commit 2"]))
      assert.strictEqual(crew.newest().generation, 2)
    }))

  it.effect("RELOAD-07 none takes it if one cannot use it, whose problems are reported once", () =>
    Effect.gen(function*() {
      const unusable = Effect.succeed<Preparation>({ _tag: "Unusable", problems: [problem] })
      const { asked, crew } = yield* start({}, { prepare: unusable }, { prepare: unusable })
      const error = yield* Effect.flip(crew.install(configuration(2)))
      assert.deepStrictEqual(error.problems, [problem])
      assert.deepStrictEqual(asked(), Array.from({ length: 3 }, () => ["prepare 2", "discard"]))
      assert.strictEqual(crew.newest().generation, 1)
    }))

  it.effect("RELOAD-07 that end or hang while they prepare are replaced, and the others take it", () =>
    Effect.gen(function*() {
      const { asked, crew, workers } = yield* start({}, { prepare: Effect.never }, { prepare: Effect.never })
      const installing = yield* Effect.forkChild(crew.install(configuration(2)))
      yield* TestClock.adjust("1 second")
      yield* workers[1]?.end ?? Effect.void
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Fiber.join(installing), ["idp"])
      assert.deepStrictEqual(asked()[0], ["prepare 2", "commit 2"])
      assert.deepStrictEqual(asked()[2], ["prepare 2", "stop"])
      assert.strictEqual(crew.newest().generation, 2)
    }).pipe(Effect.provide(LogCapture.layer)))

  it.effect("RELOAD-07 none takes it if none replies", () =>
    Effect.gen(function*() {
      const { asked, crew } = yield* start({ prepare: Effect.never }, { prepare: Effect.never })
      const installing = yield* Effect.forkChild(Effect.flip(crew.install(configuration(2))))
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(installing)).problems[0]?.setting, "MCP_WORKERS")
      assert.notInclude(asked().flat(), "stop")
      assert.strictEqual(crew.newest().generation, 1)
    }))

  it.effect("RELOAD-07 that do not take what they have prepared are replaced", () =>
    Effect.gen(function*() {
      const { asked, crew } = yield* start({}, { commit: Effect.succeed(false) })
      yield* crew.install(configuration(2))
      assert.deepStrictEqual(asked(), [["prepare 2", "commit 2"], ["prepare 2", "commit 2", "stop"]])
    }).pipe(Effect.provide(LogCapture.layer)))

  it.effect("RELOAD-07 that were still starting with the earlier one take it when they are ready", () =>
    Effect.gen(function*() {
      const { crew } = yield* start({})
      const late = yield* makeWorker()
      yield* crew.add(2, late.worker, configuration(1))
      yield* crew.install(configuration(2))
      assert.deepStrictEqual(late.asked, [])
      yield* late.becomeReady
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(late.asked, ["prepare 2", "commit 2"])
      const newest = yield* makeWorker()
      yield* crew.add(3, newest.worker, crew.newest())
      yield* newest.becomeReady
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(newest.asked, [])
    }))
})
