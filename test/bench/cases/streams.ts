/** A thousand clients that listen, each to an event a second. */
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { Bench, type Case } from "../Bench.ts"
import { placement } from "../machine.ts"
import { eventsPath } from "../peers/mcpResponses.ts"
import { residentMemory, run, type Running } from "../processes.ts"
import { figure, median, score } from "../report/Outcome.ts"
import { toolsList, warmUp } from "../rounds.ts"
import { bareProxy, gateway, nodeUpstream } from "../servers.ts"

const streamCount = 1000

/** The input of `clients/eventStreams.ts`. */
export interface StreamArguments {
  readonly origin: string
  readonly path: string
  readonly count: number
  /** One event a second for each stream. */
  readonly events: number
  readonly tokensFile: string
}

/** The output of `clients/eventStreams.ts`. */
export interface StreamResult {
  readonly delivered: number
  /** Milliseconds from the server to the client. */
  readonly p50: number
  readonly p99: number
}

const listen = (server: Running, events: number, tokensFile: string) => {
  const options: StreamArguments = { origin: server.origin, path: eventsPath, count: streamCount, events, tokensFile }
  const file = fileURLToPath(new URL("../clients/eventStreams.js", import.meta.url))
  const command = { file: process.execPath, args: [file, JSON.stringify(options)], cores: placement.load }
  // Written by that client.
  return Effect.map(run(command), (output) => JSON.parse(output) as StreamResult)
}

/**
 * The cost of a stream, at a server that has been under load before, so that the server's own growth is not counted.
 */
const kibiPerStream = ({ pid }: Running, before: number): number =>
  (residentMemory(pid).peak - before) / 1024 / streamCount

export const streams: Case = {
  name: "streams",
  run: Effect.gen(function*() {
    const { rounds, seconds } = yield* Bench
    const load = yield* toolsList
    const behind = yield* nodeUpstream
    const bare = yield* bareProxy(behind.origin)
    const ours = yield* gateway(behind.origin)
    yield* warmUp(bare, load)
    yield* warmUp(ours, load)
    const before = { bare: residentMemory(bare.pid).peak, gateway: residentMemory(ours.pid).peak }
    const direct: Array<StreamResult> = []
    const through: Array<StreamResult> = []
    const bareThrough: Array<StreamResult> = []
    for (let round = 0; round < rounds; round++) {
      direct.push(yield* listen(behind, seconds, load.tokens.file))
      bareThrough.push(yield* listen(bare, seconds, load.tokens.file))
      through.push(yield* listen(ours, seconds, load.tokens.file))
    }
    const late = (results: ReadonlyArray<StreamResult>) => results.map(({ p99 }) => p99)
    const delivered = through.reduce((sum, one) => sum + one.delivered, 0)
    const each = kibiPerStream(ours, before.gateway)
    return {
      figures: [
        figure("delay of events, MCP server alone", "ms (p99)", late(direct)),
        figure("delay of events, bare proxy", "ms (p99)", late(bareThrough)),
        figure("delay of events, gateway", "ms (p99)", late(through)),
        figure("memory of a stream, bare proxy", "KiB", [kibiPerStream(bare, before.bare)]),
        figure("memory of a stream, gateway", "KiB", [each])
      ],
      scores: [
        score("streams/delivered", "events that came, of those sent", delivered / (rounds * seconds * streamCount)),
        score("streams/delay", "ms that the gateway adds at p99", median(late(through)) - median(late(direct))),
        score("streams/memory", "KiB of memory a stream", each)
      ],
      notes: []
    }
  })
}
