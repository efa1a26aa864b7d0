/** Very many clients at once that do little. */
import * as Effect from "effect/Effect"
import { figure, score } from "../../bench/report/Outcome.ts"
import type { GoodArguments, GoodResult } from "../clients/good.ts"
import type { ListenersArguments, ListenersResult } from "../clients/listeners.ts"
import { client, conversation, gateway, mcpServer, Soak, type SoakCase, tell, workersOf } from "../Soak.ts"

const seconds = 10
const rate = 50

// One process may not open enough files on many machines: a stream needs two in the gateway.
const processes = 2

export const idleCase: SoakCase = {
  name: "idle clients and streams",
  run: Effect.gen(function*() {
    const { clients, tokensFile } = yield* Soak
    const server = yield* mcpServer
    const ours = yield* gateway(server.origin, {
      args: ["--workers", String(processes)],
      settings: {
        MCP_LOG_LEVEL: "error",
        MCP_MAX_UPSTREAM_CONNECTIONS: String(clients + 1000),
        // As long as all of this takes, on a slow machine, too.
        MCP_CLIENT_IDLE_TIMEOUT: "600"
      }
    })
    const good = client<GoodArguments, GoodResult>("good", { origin: ours.origin, seconds, rate, tokensFile })
    const resident = Effect.gen(function*() {
      const workers = yield* workersOf(ours)
      const measured = yield* Effect.forEach(workers, (worker) => tell(ours, { _tag: "Measure" }, worker))
      return measured.reduce((sum, { rss }) => sum + rss, 0)
    })
    const alone = yield* good
    const empty = yield* resident
    // Long enough for the good client to work next to all of them.
    const events = 60
    const share = Math.ceil(clients / processes)
    const options: ListenersArguments = { origin: ours.origin, tokensFile, idle: share, streams: share, events }
    const listeners = yield* Effect.forEach(
      Array.from({ length: processes }),
      () => conversation<ListenersArguments, "Listen">("listeners", options)
    )
    const heard = Effect.forEach(listeners, ({ hear }) => hear, { concurrency: "unbounded" })
    yield* heard
    const idle = yield* resident
    yield* Effect.forEach(listeners, ({ say }) => say("Listen"))
    yield* heard
    const listening = yield* resident
    const during = yield* good
    // Written by `clients/listeners.ts`.
    const results = (yield* heard).map((line) => JSON.parse(line) as ListenersResult)
    const sum = (name: keyof ListenersResult): number => results.reduce((total, result) => total + result[name], 0)
    const all = share * processes
    const kibiEach = (bytes: number): number => bytes / 1024 / all
    return {
      figures: [
        figure("idle clients, and as many event streams", "", [all]),
        figure("memory of an idle client", "KiB", [kibiEach(idle - empty)]),
        figure("memory of an event stream", "KiB", [kibiEach(listening - idle)]),
        figure("good callers alone", "ms (p99)", [alone.p99]),
        figure("good callers next to all of them", "ms (p99)", [during.p99])
      ],
      scores: [
        score("idle/delivered", "share of the events that came", sum("delivered") / (all * events)),
        score("idle/ended", "share of the streams that ended in good order", sum("ended") / all),
        score(
          "idle/open",
          "share of the idle clients that were connected when all streams had begun",
          sum("stillOpen") / all
        ),
        score("idle/served", "share of valid requests that succeeded", 1 - during.failed / during.requests)
      ],
      notes: []
    }
  })
}
