/** All workers apply a configuration, or none of them does. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { InvalidConfiguration, type Problem } from "../../config/InvalidConfiguration.ts"
import { annotate } from "../../log/logFields.ts"
import type { Configuration, Preparation } from "./messages.ts"
import type { WorkerProcess } from "./WorkerProcess.ts"

/** How long a worker may take to prepare a configuration, which waits for the keys of providers, and to take it. */
const prepareMillis = 30_000
const commitMillis = 5_000

/** How long a reload waits for a worker that starts, and how often it looks. */
const readyMillis = 30_000
const lookMillis = 50

export type ReloadedWorker = Pick<WorkerProcess, "ask" | "ended" | "ready" | "stop">

/** A living worker, and the number of its configuration. */
interface Member {
  readonly number: number
  readonly worker: ReloadedWorker
  generation: number
  isReady: boolean
  isCatchingUp: boolean
}

/** The workers, and their configuration. */
export interface Crew {
  readonly newest: () => Configuration
  /** Adds a worker that has started with a configuration, for as long as its scope lives. */
  readonly add: (
    number: number,
    worker: ReloadedWorker,
    started: Configuration
  ) => Effect.Effect<void, never, Scope.Scope>
  /**
   * Applies a configuration in all workers. Fails and changes nothing if a worker cannot use it, or if none replies.
   *
   * A worker that ends or does not reply is replaced by one that starts with the new configuration. Returns the providers
   * whose keys could not be fetched.
   */
  readonly install: (next: Configuration) => Effect.Effect<ReadonlyArray<string>, InvalidConfiguration>
}

const noReply: Problem = {
  setting: "MCP_WORKERS",
  source: undefined,
  problem: "has no worker that replies",
  fix: "Send SIGHUP again when the workers are ready, or restart the gateway"
}

export const makeCrew = (started: Configuration): Crew => {
  const members = new Set<Member>()
  let newest = started

  /** Waits for a reply; `None` if the worker ends, or takes too long. */
  const replyOf = <A>({ worker }: Member, reply: Effect.Effect<A>, millis: number) =>
    Effect.map(
      Effect.timeoutOption(Effect.raceFirst(Effect.asSome(reply), Effect.as(worker.ended, Option.none<A>())), millis),
      Option.flatten
    )

  const prepare = (member: Member, next: Configuration) =>
    replyOf<Preparation>(member, member.worker.ask("prepare", next), prepareMillis)

  const commit = (member: Member, { generation }: Configuration) =>
    Effect.map(replyOf(member, member.worker.ask("commit", generation), commitMillis), (reply) => {
      const isDone = Option.isSome(reply) && reply.value
      if (isDone) member.generation = generation
      return isDone
    })

  /** Stops a worker, so that one with the newest configuration takes its place. */
  const replace = (member: Member) =>
    Effect.andThen(
      Effect.logWarning("worker does not take the configuration").pipe(annotate({ worker: member.number })),
      member.worker.stop
    )

  /** Applies the newest configuration in a worker, which the others have applied. */
  const catchUp = Effect.fnUntraced(function*(member: Member) {
    if (member.isCatchingUp) return
    member.isCatchingUp = true
    // Another one may have become the newest in between.
    while (members.has(member) && member.generation !== newest.generation) {
      const next = newest
      const reply = Option.getOrUndefined(yield* prepare(member, next))
      if (reply?._tag !== "Prepared" || !(yield* commit(member, next))) return yield* replace(member)
    }
    member.isCatchingUp = false
  })

  const someReady = Effect.gen(function*() {
    while (![...members].some(({ isReady }) => isReady)) yield* Effect.sleep(lookMillis)
  })

  return {
    newest: () => newest,
    add: Effect.fnUntraced(function*(number, worker, { generation }) {
      const member: Member = { number, worker, generation, isReady: false, isCatchingUp: false }
      yield* Effect.acquireRelease(
        Effect.sync(() => members.add(member)),
        () => Effect.sync(() => members.delete(member))
      )
      yield* Effect.forkScoped(Effect.flatMap(worker.ready, () => {
        member.isReady = true
        return catchUp(member)
      }))
    }),
    install: Effect.fnUntraced(function*(next) {
      yield* Effect.timeoutOption(someReady, readyMillis)
      const asked = [...members].filter(({ isReady }) => isReady)
      const replies = yield* Effect.forEach(
        asked,
        (member) => Effect.map(prepare(member, next), (reply) => ({ member, reply: Option.getOrUndefined(reply) })),
        { concurrency: "unbounded" }
      )
      const problems = replies.flatMap(({ reply }) => reply?._tag === "Unusable" ? reply.problems : [])
      const prepared = replies.flatMap(({ member, reply }) => reply?._tag === "Prepared" ? [{ member, reply }] : [])
      if (problems.length > 0 || prepared.length === 0) {
        yield* Effect.forEach(
          replies,
          ({ member }) => replyOf(member, member.worker.ask("discard", undefined), commitMillis),
          { concurrency: "unbounded", discard: true }
        )
        // Each worker has reported the same.
        const distinct = [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]
        return yield* new InvalidConfiguration({ problems: distinct.length === 0 ? [noReply] : distinct })
      }
      // From here on it is the one of all workers: one that starts now starts with it.
      newest = next
      yield* Effect.forEach(
        prepared,
        ({ member }) => Effect.flatMap(commit(member, next), (isDone) => isDone ? Effect.void : replace(member)),
        { concurrency: "unbounded", discard: true }
      )
      const missed = [...members].filter(({ generation, isReady }) => isReady && generation !== next.generation)
      yield* Effect.forEach(
        missed.filter((member) => !prepared.some((one) => one.member === member)),
        (member) => asked.includes(member) ? replace(member) : catchUp(member),
        { concurrency: "unbounded", discard: true }
      )
      return [...new Set(prepared.flatMap(({ reply }) => reply.notReady))]
    })
  }
}
