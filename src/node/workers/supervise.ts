import * as Array from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { annotate } from "../../log/logFields.ts"
import type { WorkerProcess } from "./WorkerProcess.ts"

const shortestPauseMillis = 100
const longestPauseMillis = 30_000
// A worker that lived this long did not die for the same reason as the previous one.
const stableMillis = 60_000

/**
 * Returns how long to wait before a dead worker is replaced: longer with each one that dies early.
 *
 * @param previousMillis the pause before that worker, 0 if it was the first
 */
export const nextPause = (previousMillis: number, livedMillis: number): number =>
  previousMillis === 0 || livedMillis >= stableMillis
    ? shortestPauseMillis
    : Math.min(2 * previousMillis, longestPauseMillis)

const pingMillis = 5_000
// Counted, not timed: after the machine or the primary has slept, the replies are late through no fault of the worker.
const missedPings = 6

/** Kills a worker that hangs: its connections hang as well, and no other process can take them over. */
const watch = Effect.fnUntraced(function*(worker: SupervisedWorker) {
  let missed = 0
  while (missed < missedPings) {
    const reply = yield* Effect.timeoutOption(worker.ping, pingMillis)
    missed = Option.isSome(reply) ? 0 : missed + 1
    if (missed === 0) yield* Effect.sleep(pingMillis)
  }
  yield* Effect.logError("worker does not respond")
  yield* worker.kill
})

export type SupervisedWorker = Omit<WorkerProcess, "ask" | "stop">

export interface SuperviseOptions {
  readonly workers: number
  readonly fork: (number: number) => Effect.Effect<SupervisedWorker, never, Scope.Scope>
  /** Runs once, when the first worker is ready. The others start after it. */
  readonly announce: (url: string) => Effect.Effect<void>
}

/**
 * Keeps this many workers alive. A dead one is replaced at once if it lived long, otherwise after a pause that doubles.
 *
 * The first worker starts alone. If it ends before it is ready, the others would end as well, and the effect fails with
 * how it ended. After that, the effect never fails. An interruption stops all workers at the same time and waits for
 * them.
 */
export const supervise = Effect.fnUntraced(function*(
  { announce, fork, workers }: SuperviseOptions
): Effect.fn.Return<never, string> {
  const begun = yield* Deferred.make<string>()

  const live = Effect.fnUntraced(function*(number: number) {
    const worker = yield* fork(number)
    const named = annotate({ worker: number, pid: worker.pid })
    const rise = Effect.flatMap(
      worker.ready,
      (url) => Effect.andThen(Deferred.succeed(begun, url), Effect.logInfo("worker ready"))
    )
    yield* Effect.forkScoped(named(rise))
    yield* Effect.forkScoped(named(watch(worker)))
    return { pid: worker.pid, reason: yield* worker.ended }
  }, Effect.scoped)

  const keep = Effect.fnUntraced(function*(number: number): Effect.fn.Return<never, string> {
    let pause = 0
    while (true) {
      const [lived, { pid, reason }] = yield* Effect.timed(live(number))
      if (!(yield* Deferred.isDone(begun))) return yield* Effect.fail(reason)
      pause = nextPause(pause, Duration.toMillis(lived))
      yield* Effect.logWarning("worker ended").pipe(
        annotate({ worker: number, pid, reason, replaced_in_ms: pause })
      )
      yield* Effect.sleep(pause)
    }
  })

  const others = Deferred.await(begun).pipe(
    Effect.flatMap(announce),
    Effect.andThen(Effect.forEach(Array.range(2, workers), keep, { concurrency: "unbounded" })),
    Effect.andThen(Effect.never)
  )
  const [ended] = yield* Effect.all([keep(1), others], { concurrency: "unbounded" })
  return ended
})
