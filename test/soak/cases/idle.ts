/** Very many clients at once that do little. */
import * as Effect from "effect/Effect"
import { figure, score } from "../../bench/report/Outcome.ts"
import type { GoodArguments, GoodResult } from "../clients/good.ts"
import type { ListenersArguments, ListenersResult } from "../clients/listeners.ts"
import { client, conversation, gateway, mcpServer, Soak, type SoakCase, tell } from "../Soak.ts"

const seconds = 10
const rate = 50

export const idleCase: SoakCase = {
  name: "idle clients and streams",
  run: Effect.gen(function*() {
    const { clients, tokensFile } = yield* Soak
    const server = yield* mcpServer
    const ours = yield* gateway(server.origin, {
      settings: {
        MCP_LOG_LEVEL: "error",
        MCP_MAX_UPSTREAM_CONNECTIONS: String(clients + 1000),
        // As long as all of this takes, on a slow machine, too.
        MCP_CLIENT_IDLE_TIMEOUT: "600"
      }
    })
    const good = client<GoodArguments, GoodResult>("good", { origin: ours.origin, seconds, rate, tokensFile })
    const alone = yield* good
    const empty = yield* tell(ours, { _tag: "Measure" })
    // Long enough for the good client to work next to all of them.
    const events = 45
    const options: ListenersArguments = { origin: ours.origin, tokensFile, idle: clients, streams: clients, events }
    const listeners = yield* conversation("listeners", options)
    yield* listeners.hear
    const idle = yield* tell(ours, { _tag: "Measure" })
    yield* listeners.hear
    const listening = yield* tell(ours, { _tag: "Measure" })
    const during = yield* good
    // Written by `clients/listeners.ts`.
    const seen = JSON.parse(yield* listeners.hear) as ListenersResult
    const kibiEach = (bytes: number): number => bytes / 1024 / clients
    return {
      figures: [
        figure("memory of an idle client", "KiB", [kibiEach(idle.rss - empty.rss)]),
        figure("memory of an event stream", "KiB", [kibiEach(listening.rss - idle.rss)]),
        figure("good callers alone", "ms (p99)", [alone.p99]),
        figure("good callers next to all of them", "ms (p99)", [during.p99])
      ],
      scores: [
        score("idle/delivered", "share of the events that came", seen.delivered / (clients * events)),
        score("idle/ended", "share of the streams that ended in good order", seen.ended / clients),
        score(
          "idle/open",
          "share of the idle clients that were connected when all streams had begun",
          seen.stillOpen / clients
        ),
        score("idle/served", "share of valid requests that succeeded", 1 - during.failed / during.requests)
      ],
      notes: []
    }
  })
}
