/** The one method whose messages are changed on the way, in both directions. */
import * as Effect from "effect/Effect"
import { ask } from "../ask.ts"
import { Bench, type Case } from "../Bench.ts"
import { median, score } from "../report/Outcome.ts"
import { contender, costFigures, perSecond, rateFigures, takeTurns, toolsList, valuesOf } from "../rounds.ts"
import { gateway, upstream } from "../servers.ts"

export const initialize: Case = {
  name: "initialize",
  run: Effect.gen(function*() {
    const { initializeFile } = yield* Bench
    const server = yield* gateway((yield* upstream).origin)
    const load = yield* toolsList
    const initializing = { ...load, bodyFile: initializeFile, headers: { "mcp-method": "initialize" } }
    const { text } = yield* ask(server, initializing)
    if (!text.includes("authInfo")) return yield* Effect.die(new Error(`nothing was injected: ${text}`))
    const contenders = [
      yield* contender("tools/list", server, load),
      yield* contender("initialize", server, initializing)
    ]
    const results = yield* takeTurns(contenders)
    const rate = (name: string) => median(valuesOf(results, name, perSecond))
    return {
      figures: [...rateFigures(results), ...costFigures(results)],
      scores: [score("initialize/list", "initialize to tools/list", rate("initialize") / rate("tools/list"))],
      notes: []
    }
  })
}
