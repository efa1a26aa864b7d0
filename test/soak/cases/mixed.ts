/** Mixed traffic at half of what is possible, while the parts around the gateway, and its own workers, fail and come back. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { figure, score } from "../../bench/report/Outcome.ts"
import { audience } from "../../bench/tokens.ts"
import { closedPort } from "../../node/support/ports.ts"
import type { MixedArguments, MixedOrder, MixedResult } from "../clients/mixed.ts"
import { destroy, pause, resume } from "../signals.ts"
import {
  conversation,
  descriptorsOf,
  gateway,
  mcpServer,
  Soak,
  type SoakCase,
  statsOf,
  tell,
  workersOf
} from "../Soak.ts"
import { growth, type Sample } from "./growth.ts"

const mebi = 2 ** 20

/** The caches of verified tokens of both workers are full after so many, and grow no more. */
const fillingTokens = 20_000

/** How long idle connections to the MCP server are kept, and a little more. */
const settling = "1500 millis"

/** How long it takes to come to rest and to measure. */
const restMillis = 3000

/** How long each disturbance lasts. */
const outage = "3 seconds"

/** The gateway between a client and an MCP server. */
interface Stage {
  readonly ours: Effect.Success<ReturnType<typeof gateway>>
  readonly server: Effect.Success<typeof mcpServer>
  readonly say: (order: MixedOrder) => Effect.Effect<void>
  readonly hear: Effect.Effect<string>
  /** Where the gateway's log entries about its workers are. */
  readonly workerLog: string
}

/** Workers take connections in turn: so many in a row reach both of them, more than once. */
const readyInRow = 6

/** Waits until all workers have the keys of their provider. */
const ready = Effect.fnUntraced(function*(ours: Stage["ours"]) {
  while ((yield* workersOf(ours)).length < 2) yield* Effect.sleep("50 millis")
  for (let inRow = 0; inRow < readyInRow;) {
    // Each over a connection of its own.
    const { status } = yield* Effect.promise((signal) =>
      fetch(`${ours.origin}/readyz`, { signal, headers: { connection: "close" } })
    )
    inRow = status === 200 ? inRow + 1 : 0
    yield* Effect.sleep("100 millis")
  }
})

const setStage = Effect.fnUntraced(function*(
  rate: number
): Effect.fn.Return<Stage, never, Soak | TestIssuer | Scope.Scope> {
  const server = yield* mcpServer
  const providerPort = yield* closedPort
  const issuer = `http://127.0.0.1:${providerPort}`
  const options = { providerPort, rate }
  const workerLog = join((yield* Soak).directory, `workers-${providerPort}.log`)
  const ours = yield* gateway(server.origin, {
    args: ["--workers", "2"],
    // The reader of the log is not a child of the gateway, and ends with it.
    shell: "mkfifo \"$SOAK_WORKER_LOG.pipe\"; (grep --line-buffered '\"worker ' < \"$SOAK_WORKER_LOG.pipe\" " +
      "> \"$SOAK_WORKER_LOG\" &); exec \"$@\" > \"$SOAK_WORKER_LOG.pipe\"",
    settings: {
      SOAK_WORKER_LOG: workerLog,
      MCP_JWT_ISSUER: issuer,
      MCP_JWT_JWKS_URI: `${issuer}/jwks`,
      MCP_JWT_ALGORITHM: "ES256",
      MCP_JWT_AUDIENCE: audience,
      MCP_REQUIRED_SCOPES: "mcp:read"
    }
  })
  const { hear, say } = yield* conversation<MixedArguments, MixedOrder>("mixed", { ...options, origin: ours.origin })
  yield* hear
  // The gateway was started before its provider, and requests the keys again after a while.
  yield* ready(ours)
  return { ours, server, hear, say, workerLog }
})

const stop = Effect.fnUntraced(function*({ hear, say }: Stage) {
  yield* say({ _tag: "Stop" })
  // Written by `clients/mixed.ts`.
  return JSON.parse(yield* hear) as MixedResult
})

/** A disturbance while clients continue. */
type Disturbance = (stage: Stage) => Effect.Effect<void>

/** Clients must not notice it: known keys are still used. */
const provider = (state: "unreachable" | "failing" | "silent"): Disturbance =>
  Effect.fnUntraced(function*({ say }) {
    yield* say({ _tag: "Provider", state })
    yield* Effect.sleep(outage)
    yield* say({ _tag: "Provider", state: "up" })
  })

/** Something that clients notice, and that is over when it is over. */
const noticed = (disturb: Disturbance): Disturbance =>
  Effect.fnUntraced(function*(stage) {
    yield* stage.say({ _tag: "Disturbed" })
    // A busy client reads it late, and would count the first failures as others.
    yield* stage.hear
    yield* disturb(stage)
    yield* stage.say({ _tag: "Calm" })
  })

const rotate: Disturbance = ({ say }) => say({ _tag: "Rotate" })

/** In turn, one after each stretch of traffic. */
const disturbances: ReadonlyArray<Disturbance> = [
  rotate,
  provider("unreachable"),
  noticed(Effect.fnUntraced(function*({ server: { pid } }) {
    yield* pause(pid)
    yield* Effect.sleep(outage)
    yield* resume(pid)
  })),
  rotate,
  // The newer one: the older one is the one whose memory is followed.
  noticed(Effect.fnUntraced(function*({ ours }) {
    const [, newer] = yield* workersOf(ours)
    if (newer !== undefined) yield* destroy(newer)
    yield* Effect.sleep(outage)
  })),
  provider("failing"),
  noticed(Effect.fnUntraced(function*({ server }) {
    yield* Effect.promise((signal) => fetch(`${server.origin}/gone?millis=3000`, { signal }))
    yield* Effect.sleep(outage)
  })),
  provider("silent")
]

/** Measures the idle gateway: what is left then is what it keeps. */
const atRest = Effect.fnUntraced(function*({ hear, ours, say, server }: Stage, worker: number) {
  yield* say({ _tag: "Pause" })
  yield* hear
  yield* Effect.sleep(settling)
  const { external, heapUsed } = yield* tell(ours, { _tag: "Measure" }, worker)
  const primary = yield* tell(ours, { _tag: "Measure" })
  const sample: Sample = {
    memory: (heapUsed + external) / mebi,
    primary: (primary.heapUsed + primary.external) / mebi,
    descriptors: yield* descriptorsOf(worker),
    connections: (yield* statsOf(server)).open
  }
  yield* say({ _tag: "Go" })
  return sample
})

const capacity = Effect.gen(function*() {
  const stage = yield* setStage(0)
  yield* stage.say({ _tag: "Go" })
  yield* Effect.sleep("10 seconds")
  const { seconds, total } = yield* stop(stage)
  return total / seconds
}).pipe(Effect.scoped)

/** Stretches of traffic, each with a disturbance in it and a measurement after it. */
const soakIn = Effect.fnUntraced(function*(rate: number, seconds: number) {
  const stage = yield* setStage(rate)
  const [worker = 0] = yield* workersOf(stage.ours)
  yield* stage.say({ _tag: "Fill", count: fillingTokens })
  const filled = yield* stage.hear
  yield* stage.say({ _tag: "Go" })
  // Each of the disturbances at least once, and one a minute at most.
  const stretch = Math.min(60, Math.floor(seconds / (disturbances.length + 1)))
  const samples: Array<Sample> = []
  for (let index = 0; (index + 1) * stretch <= seconds; index++) {
    const disturb = disturbances[index % disturbances.length] ?? rotate
    const started = performance.now()
    yield* Effect.sleep(`${stretch / 3} seconds`)
    yield* disturb(stage)
    const left = stretch * 1000 - (performance.now() - started)
    yield* Effect.sleep(`${Math.max(left - restMillis, 0)} millis`)
    // The values of a new process are not growth.
    if (!(yield* workersOf(stage.ours)).includes(worker)) break
    samples.push(yield* atRest(stage, worker))
  }
  // A killed worker may be restarting.
  yield* Effect.timeoutOption(ready(stage.ours), "60 seconds")
  const workers = yield* workersOf(stage.ours)
  const { most } = yield* statsOf(stage.server)
  const said = yield* Effect.promise(() => readFile(stage.workerLog, "utf8"))
  return {
    result: yield* stop(stage),
    samples,
    stretch,
    filled,
    said: said.split("\n").filter((line) => line !== "" && !line.includes("worker ready")),
    most,
    workers: workers.length,
    survived: workers[0] === worker
  }
}, Effect.scoped)

export const mixedCase: SoakCase = {
  name: "mixed traffic",
  run: Effect.gen(function*() {
    const { mixedSeconds, rate: wanted } = yield* Soak
    const possible = wanted === undefined ? yield* capacity : undefined
    const rate = Math.max(1, Math.floor(wanted ?? (possible ?? 0) / 2))
    const { filled, most, result, said, samples, stretch, survived, workers } = yield* soakIn(rate, mixedSeconds)
    const of = (name: keyof Sample) => samples.map((sample) => sample[name])
    const grown = growth(samples, stretch)
    return {
      figures: [
        ...possible === undefined ? [] : [figure("operations possible", "a second", [possible])],
        figure("operations", "a second", [result.total / result.seconds]),
        figure("operations in all", "", [result.total]),
        figure("operations that failed during a disturbance", "", [result.excused]),
        figure("key rotations", "", [result.rotations]),
        figure("ordinary calls", "ms (p99)", [result.p99]),
        figure("memory of a worker after collection", "MiB", of("memory")),
        figure("memory of the first process after collection", "MiB", of("primary")),
        figure("open descriptors of a worker at rest", "", of("descriptors")),
        figure("connections to the MCP server at rest", "", of("connections")),
        figure("connections to the MCP server at their height", "", [most])
      ],
      scores: [
        score("mixed/failed", "good requests rejected, broken off or let in wrongly", result.failed),
        score(
          "mixed/served",
          "share of all operations that went well",
          1 - (result.failed + result.excused) / result.total
        ),
        score("mixed/growth", "MiB by which a worker grows in 10 minutes, after collection", grown.memory),
        score("mixed/primary", "MiB by which the first process grows in 10 minutes, after collection", grown.primary),
        score("mixed/descriptors", "descriptors at rest that have come", grown.descriptors),
        score("mixed/connections", "connections to the MCP server at rest that have come", grown.connections),
        score("mixed/workers", "workers at the end", workers),
        score("mixed/survived", "1 if the worker that was not killed lives", survived ? 1 : 0),
        score("mixed/filled", "1 if all tokens that fill the caches were accepted", filled === "filled: good" ? 1 : 0)
      ],
      notes: [
        filled,
        ...said,
        `memory of the worker, MiB: ${of("memory").map((one) => one.toFixed(2)).join(", ")}`,
        ...Object.entries(result.operations).map(([name, { excused, failures, good }]) =>
          `${name}: ${good} good, ${excused} failed during a disturbance, others: ${JSON.stringify(failures)}`
        )
      ]
    }
  })
}
