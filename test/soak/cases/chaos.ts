/** Faults of processes and their environment. After each of them the gateway must recover by itself. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { connect } from "node:net"
import { figure, score } from "../../bench/report/Outcome.ts"
import type { FloodArguments, FloodResult } from "../clients/flood.ts"
import type { GoodArguments, GoodResult } from "../clients/good.ts"
import { destroy, pause, resume } from "../signals.ts"
import {
  client,
  type Gateway,
  gateway,
  type GatewayOptions,
  mcpServer,
  order,
  Soak,
  type SoakCase,
  tell,
  workersOf
} from "../Soak.ts"

const good = Effect.fnUntraced(function*(origin: string, seconds: number) {
  const { tokensFile } = yield* Soak
  return yield* client<GoodArguments, GoodResult>("good", { origin, seconds, rate: 50, tokensFile })
})

const served = ({ failed, requests }: GoodResult): number => 1 - failed / requests

interface Fault {
  readonly name: string
  readonly options?: GatewayOptions
  readonly run: (ours: Gateway) => Effect.Effect<GoodResult | void, never, Soak>
}

/** Takes all descriptors of the gateway for a while. */
const exhaust = (origin: string, connections: number) =>
  Effect.promise(async () => {
    const { port } = new URL(origin)
    const sockets = Array.from({ length: connections }, () => {
      const socket = connect({ host: "127.0.0.1", port: Number(port) })
      socket.on("error", () => {})
      return socket
    })
    await new Promise((resolve) => {
      setTimeout(resolve, 2000)
    })
    for (const socket of sockets) socket.destroy()
  })

/** Waits until both workers live again; dies if they do not in a minute. */
const bothWorkers = (ours: Gateway) =>
  workersOf(ours).pipe(
    Effect.delay("100 millis"),
    Effect.repeat({ until: (workers) => workers.length === 2 }),
    // A worker that has begun is not ready yet.
    Effect.andThen(Effect.sleep("2 seconds")),
    Effect.timeout("60 seconds"),
    Effect.orDie
  )

const faults: ReadonlyArray<Fault> = [
  {
    name: "out of descriptors",
    options: { shell: "ulimit -n 256; exec \"$@\"" },
    run: ({ origin }) => exhaust(origin, 600)
  },
  {
    name: "little memory",
    options: { nodeArgs: ["--max-old-space-size=64"] },
    run: Effect.fnUntraced(function*({ origin }) {
      const { tokensFile } = yield* Soak
      const flood: FloodArguments = { kind: "unfinished-bodies", origin, seconds: 5, tokensFile, unknownKeyToken: "" }
      yield* client<FloodArguments, FloodResult>("flood", flood)
    })
  },
  {
    name: "disk full for the log",
    options: { shell: "exec \"$@\" > /dev/full" },
    run: ({ origin }) => good(origin, 3)
  },
  {
    name: "clock steps forward and back",
    run: Effect.fnUntraced(function*(ours) {
      yield* tell(ours, { _tag: "StepClock", millis: 600_000 })
      const ahead = yield* good(ours.origin, 2)
      yield* tell(ours, { _tag: "StepClock", millis: -1_200_000 })
      const behind = yield* good(ours.origin, 2)
      yield* tell(ours, { _tag: "StepClock", millis: 600_000 })
      return served(ahead) < served(behind) ? ahead : behind
    })
  },
  {
    name: "stopped for 5 s",
    run: Effect.fnUntraced(function*({ origin, pid }) {
      const during = yield* Effect.forkChild(good(origin, 8))
      yield* Effect.sleep("1 second")
      yield* pause(pid)
      yield* Effect.sleep("5 seconds")
      yield* resume(pid)
      return yield* Fiber.join(during)
    })
  },
  {
    name: "a worker out of memory",
    options: { args: ["--workers", "2"], nodeArgs: ["--max-old-space-size=64"] },
    run: Effect.fnUntraced(function*(ours) {
      const [worker = 0] = yield* workersOf(ours)
      yield* order(ours, worker, { _tag: "RunOutOfMemory" })
      while ((yield* workersOf(ours)).includes(worker)) yield* Effect.sleep("50 millis")
      yield* bothWorkers(ours)
    })
  },
  {
    name: "a worker killed each second",
    options: { args: ["--workers", "2"] },
    run: Effect.fnUntraced(function*(ours) {
      for (let round = 0; round < 8; round++) {
        const [first] = yield* workersOf(ours)
        if (first !== undefined) yield* destroy(first)
        yield* Effect.sleep("1 second")
      }
      // Workers that keep dying come back later and later.
      yield* bothWorkers(ours)
    })
  }
]

const chaos = ({ run, name, options }: Fault): SoakCase => ({
  name: `chaos: ${name}`,
  run: Effect.gen(function*() {
    const server = yield* mcpServer
    const ours = yield* gateway(server.origin, options)
    const before = yield* good(ours.origin, 3)
    const during = yield* run(ours)
    yield* Effect.sleep("2 seconds")
    const after = yield* good(ours.origin, 3)
    return {
      figures: [
        figure("good callers before", "ms (p99)", [before.p99]),
        figure("good callers afterwards", "ms (p99)", [after.p99])
      ],
      scores: [
        ...during === undefined
          ? []
          : [score(`chaos/${name}/during`, "share of valid requests that succeeded during the fault", served(during))],
        score(`chaos/${name}/after`, "share of valid requests that succeeded afterwards", served(after))
      ],
      notes: [...during === undefined ? [] : [during], after].flatMap(({ failures }) =>
        Object.entries(failures).map(([outcome, count]) => `${name}: ${count} good requests: ${outcome}`)
      )
    }
  })
})

export const chaosCases: ReadonlyArray<SoakCase> = faults.map(chaos)
