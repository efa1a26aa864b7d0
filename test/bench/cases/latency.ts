/** The time that the gateway adds to one request, without other load. */
import * as Effect from "effect/Effect"
import type { Case } from "../Bench.ts"
import { tools } from "../machine.ts"
import { figure, median, score } from "../report/Outcome.ts"
import { contender, takeTurns, toolsList, valuesOf } from "../rounds.ts"
import { bareProxy, gateway, upstream } from "../servers.ts"

export const latency: Case = {
  name: "latency",
  run: Effect.gen(function*() {
    if (tools.wrk === undefined) {
      return { figures: [], scores: [], notes: ["latency: not available (autocannon counts whole milliseconds)"] }
    }
    const behind = yield* upstream
    const load = { ...yield* toolsList, connections: 1 }
    const contenders = [
      yield* contender("MCP server alone", behind, load),
      yield* contender("bare proxy", yield* bareProxy(behind.origin), load),
      yield* contender("gateway", yield* gateway(behind.origin), load)
    ]
    const results = yield* takeTurns(contenders)
    const middle = (name: string) => median(valuesOf(results, name, ({ p50 }) => p50))
    const added = (name: string) => middle(name) - middle("MCP server alone")
    return {
      figures: contenders.map(({ name }) =>
        figure(name, "µs (p50, 1 connection)", valuesOf(results, name, ({ p50 }) => p50))
      ),
      scores: [
        score("latency/bare", "added by the gateway to added by bare proxy", added("gateway") / added("bare proxy"))
      ],
      notes: []
    }
  })
}
