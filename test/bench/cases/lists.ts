/** Long lists, of which rules leave a part. */
import * as Effect from "effect/Effect"
import { ask } from "../ask.ts"
import type { Case } from "../Bench.ts"
import { listedTools, longListKept, longListLength, longListPath } from "../peers/mcpResponses.ts"
import { median, score } from "../report/Outcome.ts"
import { contender, costFigures, perSecond, rateFigures, takeTurns, toolsList, valuesOf } from "../rounds.ts"
import { gateway, nodeUpstream } from "../servers.ts"

const rules = {
  MCP_RULES: JSON.stringify([{ methods: ["tools/list"] }, { tools: [listedTools], scopes: ["mcp:read"] }]),
  MCP_DEFAULT_RULE: "deny"
}

export const lists: Case = {
  name: "lists",
  run: Effect.gen(function*() {
    const { origin } = yield* nodeUpstream
    const load = { ...yield* toolsList, path: longListPath }
    const without = yield* gateway(origin)
    const filtering = yield* gateway(origin, { settings: rules })
    for (const [server, expected] of [[without, longListLength], [filtering, longListKept]] as const) {
      const { text } = yield* ask(server, load)
      const { length } = JSON.parse(text).result.tools
      if (length !== expected) return yield* Effect.die(new Error(`a list of ${length} tools, not ${expected}`))
    }
    const contenders = [
      yield* contender("without rules", without, load),
      yield* contender("with rules", filtering, load)
    ]
    const results = yield* takeTurns(contenders)
    const rate = (name: string) => median(valuesOf(results, name, perSecond))
    return {
      figures: [...rateFigures(results), ...costFigures(results)],
      scores: [
        score(
          "lists/unfiltered",
          "a list of 1,000 tools: filtered to unfiltered",
          rate("with rules") / rate("without rules")
        )
      ],
      notes: []
    }
  })
}
