import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Cluster, Worker } from "node:cluster"
import { annotate } from "../../log/logFields.ts"
import {
  type Ask,
  type Order,
  type QuestionName,
  type Questions,
  type Report,
  type Start,
  workerArgument
} from "./messages.ts"

export interface WorkerProcess {
  /** `undefined` if the process could not be started. */
  readonly pid: number | undefined
  /** Waits until the worker serves, and returns its URL. Never returns if the worker ends before. */
  readonly ready: Effect.Effect<string>
  /**
   * Sends a request to the worker, and waits for its reply. Never returns if the worker ends before.
   *
   * Use it with a timeout: a worker that starts or hangs does not reply.
   */
  readonly ask: <N extends QuestionName>(
    name: N,
    input: Questions[N]["input"]
  ) => Effect.Effect<Questions[N]["reply"]>
  /** Sends a ping and waits for the next reply. */
  readonly ping: Effect.Effect<void>
  /** Stops the process, as SIGTERM does. */
  readonly stop: Effect.Effect<void>
  readonly kill: Effect.Effect<void>
  /** Waits for the end: `exit code 1`, `SIGKILL`, or why the process could not start, such as `EAGAIN`. */
  readonly ended: Effect.Effect<string>
}

/** Removes the files of variables from Node's arguments: the variables are inherited, and the files may be gone. */
const withoutEnvFiles = (args: ReadonlyArray<string>): Array<string> =>
  args.filter((arg, index) =>
    !/^--env-file(?:-if-exists)?(?:=|$)/.test(arg) && !/^--env-file(?:-if-exists)?$/.test(args[index - 1] ?? "")
  )

/**
 * Closes the connection that was being passed to a worker when the worker died.
 *
 * Node has sent it, waits for the worker's confirmation, and forgets it when the worker dies: it would stay open in this
 * process, and its client would wait forever. There is at most one, because Node passes one connection at a time. A
 * connection that has arrived is already closed here, and is not closed again.
 */
const closeUndelivered = (worker: Worker): void => {
  const { process: child } = worker
  // Its type has an overload for each number of arguments, and none for the messages of Node itself.
  const send = child.send.bind(child) as (...args: ReadonlyArray<unknown>) => boolean
  let connection: { readonly close: () => void } | undefined
  child.send = (...args: ReadonlyArray<unknown>) => {
    // What Node's cluster module sends with a connection.
    const [message, handle] = args as [{ readonly act?: string }?, { readonly close: () => void }?]
    if (message?.act === "newconn") connection = handle
    return send(...args)
  }
  worker.once("exit", () => connection?.close())
}

const start = (cluster: Cluster, order: Start): WorkerProcess => {
  cluster.setupPrimary({
    args: [workerArgument, String(order.number)],
    execArgv: withoutEnvFiles(process.execArgv)
  })
  const worker = cluster.fork()
  closeUndelivered(worker)
  const { process: child } = worker
  const ready = Deferred.makeUnsafe<string>()
  const ended = Deferred.makeUnsafe<string>()
  const waiting = new Set<() => void>()
  // One entry for each question that someone still waits for.
  const asked = new Map<number, (reply: unknown) => void>()
  let questions = 0

  worker.on("exit", (code, signal) => {
    Deferred.doneUnsafe(ended, Effect.succeed(signal ?? `exit code ${code}`))
  })
  // Without a listener, a connection that is passed to a worker while it dies would end the primary.
  worker.on("error", (error: NodeJS.ErrnoException) => {
    if (child.pid === undefined) Deferred.doneUnsafe(ended, Effect.succeed(error.code ?? error.name))
  })

  // If the message cannot be sent, the worker is about to end.
  const send = (message: Order) => {
    if (child.connected) worker.send(message, () => undefined)
  }

  worker.on("message", (report: Report) => {
    switch (report._tag) {
      case "Awake":
        return send(order)
      case "Ready":
        return Deferred.doneUnsafe(ready, Effect.succeed(report.url))
      case "Pong":
        for (const resume of waiting) resume()
        return
      case "Reply":
        asked.get(report.id)?.(report.reply)
        asked.delete(report.id)
    }
  })

  return {
    pid: child.pid,
    ready: Deferred.await(ready),
    ask: (name, input) =>
      Effect.callback((resume) => {
        const id = questions++
        // Both ends are this program: the reply is of the type that the question has.
        asked.set(id, (reply) => resume(Effect.succeed(reply as Questions[typeof name]["reply"])))
        send({ _tag: "Ask", id, name, input } as Ask)
        return Effect.sync(() => asked.delete(id))
      }),
    ping: Effect.callback<void>((resume) => {
      const reply = () => resume(Effect.void)
      waiting.add(reply)
      send({ _tag: "Ping" })
      return Effect.sync(() => waiting.delete(reply))
    }),
    kill: Effect.sync(() => child.kill("SIGKILL")),
    ended: Deferred.await(ended),
    stop: Effect.sync(() => child.kill("SIGTERM"))
  }
}

/**
 * Starts a worker, which is stopped when the scope closes.
 *
 * The worker serves and logs for itself; see `worker.ts`.
 *
 * @param stopMillis how long stopping may take before the worker is killed
 */
export const fork = (
  cluster: Cluster,
  order: Start,
  stopMillis: () => number
): Effect.Effect<WorkerProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => start(cluster, order)),
    Effect.fnUntraced(function*({ ended, kill, pid, stop }) {
      yield* stop
      const end = yield* Effect.timeoutOption(Effect.interruptible(ended), stopMillis())
      if (Option.isSome(end)) return
      yield* Effect.logError("worker does not stop").pipe(annotate({ worker: order.number, pid }))
      yield* kill
      yield* ended
    })
  )
