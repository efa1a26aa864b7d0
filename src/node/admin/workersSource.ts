/** What all workers together have to show on the admin port, as their primary sees it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { AdminSource, type TokenAccess } from "../../admin/AdminSource.ts"
import { lastingPoints, mergePoints, type MetricPoint, readPoints } from "../../metrics/MetricPoint.ts"
import type { QuestionName, Questions } from "../workers/messages.ts"
import type { WorkerProcess } from "../workers/WorkerProcess.ts"

// Workers reply within milliseconds, unless they start or hang.
const replyMillis = 2_000

// What a worker counted since the last time is lost when it dies.
const keepMillis = 5_000

/** A living worker, and what it last counted. */
interface Member {
  readonly worker: WorkerProcess
  points: ReadonlyArray<MetricPoint>
}

/** All workers that live. */
export interface WorkerFamily {
  /** Adds a worker for as long as its scope lives. What it has counted stays. */
  readonly add: (worker: WorkerProcess) => Effect.Effect<void, never, Scope.Scope>
  /** Asks each worker, and leaves out those that do not reply in time. */
  readonly askAll: <N extends QuestionName>(
    name: N,
    input: Questions[N]["input"]
  ) => Effect.Effect<ReadonlyArray<Questions[N]["reply"]>>
  /** Asks the workers until one replies. */
  readonly askOne: <N extends QuestionName>(
    name: N,
    input: Questions[N]["input"]
  ) => Effect.Effect<Option.Option<Questions[N]["reply"]>>
  /** Added up over all workers, the ended ones included: a counter never falls. */
  readonly metrics: Effect.Effect<ReadonlyArray<MetricPoint>>
}

/** Builds an empty family. */
export const makeWorkerFamily = (): WorkerFamily => {
  const members = new Set<Member>()
  let ended: ReadonlyArray<MetricPoint> = []

  const ask = <N extends QuestionName>({ worker }: Member, name: N, input: Questions[N]["input"]) =>
    Effect.timeoutOption(worker.ask(name, input), replyMillis)

  /** Keeps what a worker has counted. One that does not reply has counted at least what it had before. */
  const update = (member: Member) =>
    Effect.map(ask(member, "metrics", undefined), (points) => {
      if (Option.isSome(points)) member.points = points.value
    })

  const updateAll = Effect.suspend(() =>
    Effect.forEach([...members], update, { concurrency: "unbounded", discard: true })
  )

  return {
    add: Effect.fnUntraced(function*(worker) {
      const member: Member = { worker, points: [] }
      members.add(member)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          members.delete(member)
          ended = mergePoints([ended, lastingPoints(member.points)])
        })
      )
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(keepMillis), update(member))))
    }),
    askAll: (name, input) =>
      Effect.suspend(() =>
        Effect.map(
          Effect.forEach([...members], (member) => ask(member, name, input), { concurrency: "unbounded" }),
          (replies) => replies.flatMap(Option.toArray)
        )
      ),
    askOne: Effect.fnUntraced(function*(name, input) {
      for (const member of members) {
        const reply = yield* ask(member, name, input)
        if (Option.isSome(reply)) return reply
      }
      return Option.none()
    }),
    metrics: Effect.andThen(
      updateAll,
      Effect.sync(() => mergePoints([ended, ...[...members].map(({ points }) => points)]))
    )
  }
}

/** What the admin port of a primary shows: its workers', and the metrics of its own process. */
export const makeWorkersSource = (family: WorkerFamily) =>
  Effect.map(Effect.context<never>(), (context) =>
    AdminSource.of({
      metrics: Effect.map(family.metrics, (workers) => mergePoints([readPoints(context), workers])),
      authorize: (offered) =>
        Effect.map(
          family.askOne("authorize", offered),
          Option.getOrElse((): TokenAccess => "Unavailable")
        )
    }))
