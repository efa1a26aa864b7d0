/** Long bodies: a streamed response, and a message that is checked while it is forwarded. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Bench, type Case } from "../Bench.ts"
import type { Load, LoadResult } from "../load.ts"
import { downloadPath, largeLength, largeRequest, uploadPath } from "../peers/mcpResponses.ts"
import { residentMemory, type Running } from "../processes.ts"
import { figure, median, score } from "../report/Outcome.ts"
import { measure, takeTurns, toolsList, valuesOf, warmUp } from "../rounds.ts"
import { bareProxy, gateway, nodeUpstream, upstream } from "../servers.ts"

const mebi = 2 ** 20

// A transfer or two on a slow machine; the gateway takes its time over a message of this length.
const leastSeconds = 4

interface Direction {
  readonly name: string
  readonly load: Load
  readonly behind: Effect.Effect<Running, never, Scope.Scope>
  /** MiB/s */
  readonly speed: (result: LoadResult) => number
}

/** Both directions have servers of their own, so that the memory of one is not blamed on the other. */
const compare = Effect.fnUntraced(function*({ behind, load, name, speed }: Direction) {
  const target = yield* behind
  const bare = yield* bareProxy(target.origin)
  const ours = yield* gateway(target.origin, { settings: { MCP_MAX_BODY_BYTES: "1073741824" } })
  const small = yield* toolsList
  yield* warmUp(bare, small)
  yield* warmUp(ours, small)
  const before = { bare: residentMemory(bare.pid).now, gateway: residentMemory(ours.pid).now }
  const contender = (name: string, server: Running) => ({
    name,
    measure: measure(server, load, leastSeconds)
  })
  const contenders = [contender("MCP server alone", target), contender("bare proxy", bare), contender("gateway", ours)]
  const results = yield* takeTurns(contenders)
  const rate = (name: string) => median(valuesOf(results, name, speed))
  const growth = (residentMemory(ours.pid).peak - before.gateway) / mebi
  const bareGrowth = (residentMemory(bare.pid).peak - before.bare) / mebi
  return {
    figures: [
      ...contenders.map((one) => figure(`${name}, ${one.name}`, "MiB/s", valuesOf(results, one.name, speed))),
      figure(`memory added at most, ${name}, bare proxy`, "MiB", [bareGrowth]),
      figure(`memory added at most, ${name}, gateway`, "MiB", [growth])
    ],
    scores: [
      score(`${name}/bare`, `${name} of 100 MiB: gateway to bare proxy`, rate("gateway") / rate("bare proxy")),
      score(`${name}/memory`, `${name} of 100 MiB: MiB of memory that the gateway adds at most`, growth)
    ]
  }
}, Effect.scoped)

export const bulk: Case = {
  name: "bulk",
  run: Effect.gen(function*() {
    const { directory } = yield* Bench
    const { tokens } = yield* toolsList
    const bodyFile = join(directory, "large.json")
    yield* Effect.promise(() => writeFile(bodyFile, largeRequest()))
    const down = yield* compare({
      name: "download",
      behind: upstream,
      load: { tokens, path: downloadPath, connections: 1 },
      // All that came, whether or not a transfer had ended when time was up.
      speed: ({ bytes, seconds }) => bytes / seconds / mebi
    })
    const up = yield* compare({
      name: "upload",
      behind: nodeUpstream,
      // One request that is sent repeatedly: the generator keeps all of them in memory.
      load: { tokens: { ...tokens, count: 1 }, path: uploadPath, bodyFile, connections: 1 },
      // By the duration of one transfer, because there are too few to count.
      speed: ({ p50 }) => largeLength / mebi / (p50 / 1e6)
    })
    return {
      figures: [...down.figures, ...up.figures],
      scores: [...down.scores, ...up.scores],
      notes: ["upload: the gateway checks the message while it forwards it, the bare proxy does not read it"]
    }
  })
}
