/** The data of all workers together for the admin port, as their primary collects them. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { type Activity, mergeActivities, noActivity } from "../../admin/activity/Activity.ts"
import { mergeDecisions } from "../../admin/activity/Recorder.ts"
import { AdminSource, type TokenAccess } from "../../admin/AdminSource.ts"
import { gatewayFacts } from "../../admin/gatewayFacts.ts"
import { worstStates } from "../../admin/worstStates.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { lastingPoints, mergePoints, type MetricPoint, readPoints } from "../../metrics/MetricPoint.ts"
import { hostWarnings } from "../hostWarnings.ts"
import type { QuestionName, Questions } from "../workers/messages.ts"
import type { WorkerProcess } from "../workers/WorkerProcess.ts"

// Workers reply within milliseconds, unless they are starting or hang.
const replyMillis = 2_000

// An explanation sends requests to a provider, which may be down.
const explainMillis = 15_000

// If a worker dies, what it has counted since the last collection is lost.
const keepMillis = 5_000

/** A living worker, and the counters that it last reported. */
interface Member {
  readonly worker: WorkerProcess
  points: ReadonlyArray<MetricPoint>
  activity: Activity
}

export interface WorkerFamily {
  /** Adds a worker while the scope is open. Its counters are kept afterwards. */
  readonly add: (worker: WorkerProcess) => Effect.Effect<void, never, Scope.Scope>
  /** Sends a question to each worker, and leaves out workers that do not reply in time. */
  readonly askAll: <N extends QuestionName>(
    name: N,
    input: Questions[N]["input"]
  ) => Effect.Effect<ReadonlyArray<Questions[N]["reply"]>>
  /**
   * Sends a question to one worker after another, until one replies.
   *
   * @param millis the time limit of a reply, for questions that take longer than usual
   */
  readonly askOne: <N extends QuestionName>(
    name: N,
    input: Questions[N]["input"],
    millis?: number
  ) => Effect.Effect<Option.Option<Questions[N]["reply"]>>
  /** The sums over all workers, including ended ones, so that a counter never decreases. */
  readonly metrics: Effect.Effect<ReadonlyArray<MetricPoint>>
  readonly activity: Effect.Effect<Activity>
}

export const makeWorkerFamily = (): WorkerFamily => {
  const members = new Set<Member>()
  let ended: ReadonlyArray<MetricPoint> = []
  let endedActivity = noActivity

  const ask = <N extends QuestionName>(
    { worker }: Member,
    name: N,
    input: Questions[N]["input"],
    millis = replyMillis
  ) => Effect.timeoutOption(worker.ask(name, input), millis)

  /** Updates the counters of a worker. If it does not reply, its previous values remain, as a lower bound. */
  const update = (member: Member) =>
    Effect.map(ask(member, "metrics", undefined), (points) => {
      if (Option.isSome(points)) member.points = points.value
    })

  const updateActivity = (member: Member) =>
    Effect.map(ask(member, "activity", undefined), (activity) => {
      if (Option.isSome(activity)) member.activity = activity.value
    })

  const all = (update: (member: Member) => Effect.Effect<void>) =>
    Effect.suspend(() => Effect.forEach([...members], update, { concurrency: "unbounded", discard: true }))

  return {
    add: Effect.fnUntraced(function*(worker) {
      const member: Member = { worker, points: [], activity: noActivity }
      members.add(member)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          members.delete(member)
          ended = mergePoints([ended, lastingPoints(member.points)])
          endedActivity = mergeActivities([endedActivity, member.activity])
        })
      )
      yield* Effect.forkScoped(
        Effect.forever(
          Effect.sleep(keepMillis).pipe(Effect.andThen(update(member)), Effect.andThen(updateActivity(member)))
        )
      )
    }),
    askAll: (name, input) =>
      Effect.suspend(() =>
        Effect.map(
          Effect.forEach([...members], (member) => ask(member, name, input), { concurrency: "unbounded" }),
          (replies) => replies.flatMap(Option.toArray)
        )
      ),
    askOne: Effect.fnUntraced(function*(name, input, millis) {
      for (const member of members) {
        const reply = yield* ask(member, name, input, millis)
        if (Option.isSome(reply)) return reply
      }
      return Option.none()
    }),
    metrics: Effect.andThen(
      all(update),
      Effect.sync(() => mergePoints([ended, ...[...members].map(({ points }) => points)]))
    ),
    activity: Effect.andThen(
      all(updateActivity),
      Effect.sync(() => mergeActivities([endedActivity, ...[...members].map(({ activity }) => activity)]))
    )
  }
}

/**
 * The data of a primary for the admin port: those of its workers, and the metrics of its own process.
 *
 * @param settings the settings of the start
 * @param workers how many workers there should be
 */
export const makeWorkersSource = (family: WorkerFamily, settings: GatewaySettings, workers: number) =>
  Effect.map(Effect.context<never>(), (context) =>
    AdminSource.of({
      metrics: Effect.map(family.metrics, (points) => mergePoints([readPoints(context), points])),
      authorize: (offered) =>
        Effect.map(
          family.askOne("authorize", offered),
          Option.getOrElse((): TokenAccess => "Unavailable")
        ),
      activity: family.activity,
      providers: Effect.map(family.askAll("providers", undefined), (found) => ({
        processes: workers,
        heard: found.length,
        states: worstStates(found)
      })),
      decisions: Effect.map(family.askAll("decisions", undefined), mergeDecisions),
      explain: (question) =>
        Effect.map(
          family.askOne("explain", question, explainMillis),
          (reply) => Option.getOrUndefined(reply) ?? undefined
        ),
      facts: Effect.map(
        family.askOne("facts", undefined),
        // If no worker replies, because all are starting, the facts come from the settings.
        Option.getOrElse(() => gatewayFacts(settings, hostWarnings(settings)))
      )
    }))
