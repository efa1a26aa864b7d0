import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Cluster } from "node:cluster"
import { randomBytes } from "node:crypto"
import { AdminSource } from "../../admin/AdminSource.ts"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import { layerAdminPort } from "../admin/layerAdminPort.ts"
import { layerProcessMetrics } from "../admin/processMetrics.ts"
import { makeWorkerFamily, makeWorkersSource } from "../admin/workersSource.ts"
import { announce } from "../announce.ts"
import type { CommandLine, Loaded } from "../commands/loadSettings.ts"
import { tryPort } from "../freePort.ts"
import { layerLogging } from "../logging.ts"
import { sourceOf } from "../reload/layerReloading.ts"
import { Reloader } from "../reload/Reloader.ts"
import { relogging } from "../reload/relogging.ts"
import { followTriggers, type Triggers } from "../reload/triggers.ts"
import { StartupFailed } from "../StartupFailed.ts"
import { layerTelemetry } from "../telemetry/layerTelemetry.ts"
import type { Configuration, Order } from "./messages.ts"
import { makeCrew } from "./reloadWorkers.ts"
import { supervise } from "./supervise.ts"
import { fork } from "./WorkerProcess.ts"

// A worker closes its connections itself when the timeout is over, unless it hangs.
const graceMillis = 5_000

const fail = (text: string) => Effect.andThen(Console.error(text), Effect.fail(new StartupFailed()))

const reopenAll = (cluster: Cluster) => (): void => {
  for (const worker of Object.values(cluster.workers ?? {})) {
    // One that is about to end has nothing to reopen.
    if (worker?.isConnected() === true) worker.send({ _tag: "Reopen" } satisfies Order, () => undefined)
  }
}

/** Passes on to all workers that their audit file was moved away, for as long as the scope lives. */
const reopenOnSignal = (cluster: Cluster) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const reopen = reopenAll(cluster)
      process.on("SIGHUP", reopen)
      return reopen
    }),
    (reopen) => Effect.sync(() => process.off("SIGHUP", reopen))
  )

export interface WorkersOptions {
  readonly options: CommandLine
  /** The configuration of the start, whose sources the workers read as well. */
  readonly loaded: Loaded
  readonly triggers: Triggers
  /** At least two. */
  readonly workers: number
}

/**
 * Runs the gateway as several processes that share one port, until this process is stopped.
 *
 * This process accepts the connections and distributes them in rotation. This process serves no requests itself. The
 * workers share only the session key: each has its own keys, verdicts and limits. They end with this process, however
 * it ends.
 */
export const runWorkers = Effect.fnUntraced(function*(
  { loaded, options, triggers, workers }: WorkersOptions
): Effect.fn.Return<never, StartupFailed, Scope.Scope> {
  const { settings } = loaded
  // Loaded on demand, because the module takes time to load.
  const { default: cluster } = yield* Effect.promise(() => import("node:cluster"))
  if (!cluster.isPrimary) {
    return yield* fail("MCP_WORKERS: this process is itself a worker of a cluster. Set MCP_WORKERS=1.")
  }
  // Workers that choose their own port would choose a different one after all of them were replaced.
  const port = settings.port === 0
    ? yield* Effect.orElseSucceed(tryPort(0, settings.host), () => 0)
    : settings.port
  // Otherwise each worker would make its own key.
  const key = randomBytes(32).toString("base64url")
  const configurationOf = ({ settings, sources }: Loaded, generation: number): Configuration => ({
    generation,
    sources: settings.sessionKeys.length > 0
      ? sources
      : { ...sources, flags: { ...sources.flags, MCP_SESSION_KEY: key } }
  })
  yield* reopenOnSignal(cluster)
  const crew = makeCrew(configurationOf(loaded, 1))
  const reloader = yield* Reloader.make(loaded, sourceOf(options), {
    install: (next, generation) => crew.install(configurationOf(next, generation)),
    logAs: (next) => Effect.provide(relogging(settings, next.settings))
  })
  const stopMillis = () => {
    const { shutdownDelayMillis, shutdownTimeoutMillis } = reloader.current().settings
    return shutdownDelayMillis + shutdownTimeoutMillis + graceMillis
  }
  const family = makeWorkerFamily()
  const process = settings.adminPort === undefined ? Layer.empty : layerProcessMetrics
  const admin = Layer.merge(layerAdminPort, process).pipe(
    Layer.provide(Layer.effect(AdminSource, makeWorkersSource(family, settings, workers))),
    Layer.provide([Layer.succeed(GatewayConfig, settings), Layer.succeed(Reloader, reloader)])
  )
  const supervised = supervise({
    workers,
    fork: Effect.fnUntraced(function*(number) {
      const configuration = crew.newest()
      const worker = yield* fork(cluster, { _tag: "Start", number, port, ...configuration }, stopMillis)
      yield* family.add(worker)
      yield* crew.add(number, worker, configuration)
      return worker
    }),
    announce: (url) => announce(settings, url, { workers })
  })
  return yield* Layer.build(admin).pipe(
    Effect.catchTag("InvalidConfiguration", ({ message }) => fail(message)),
    Effect.andThen(followTriggers(triggers, reloader)),
    Effect.andThen(supervised),
    Effect.catch((reason) =>
      // With exit code 1, the worker has printed the reason.
      reason === "exit code 1" || typeof reason !== "string"
        ? Effect.fail(new StartupFailed())
        : fail(`A worker ended before it was ready (${reason}).`)
    ),
    Effect.provide(Layer.provideMerge(layerTelemetry({ isPrimary: true }), layerLogging(settings, { isShared: true })))
  )
}, Effect.scoped)
