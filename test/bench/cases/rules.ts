/** Calls of a tool that rules decide about. */
import * as Effect from "effect/Effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { ask } from "../ask.ts"
import { Bench, type Case } from "../Bench.ts"
import { toolCallRequest } from "../peers/mcpResponses.ts"
import { median, score } from "../report/Outcome.ts"
import { contender, costFigures, perSecond, rateFigures, takeTurns, toolsList, valuesOf } from "../rounds.ts"
import { gateway, upstream } from "../servers.ts"

/** Rules of which the last one is for the called tool, so that all of them are checked. */
const rulesOf = (count: number): string =>
  JSON.stringify([
    ...Array.from({ length: count - 1 }, (_, index) => ({
      tools: [`group${index}_*`, `*_of_group${index}`],
      scopes: [`group${index}:use`]
    })),
    { tools: ["ec*"], scopes: ["mcp:read"] }
  ])

const counts = [1, 10, 100] as const

const condition = JSON.stringify([
  { tools: ["ec*"], when: "message.arguments.text.size() < 100 && identity.scopes.exists(scope, scope == 'mcp:read')" }
])

export const rules: Case = {
  name: "rules",
  run: Effect.gen(function*() {
    const { directory } = yield* Bench
    const bodyFile = join(directory, "tools-call.json")
    yield* Effect.promise(() => writeFile(bodyFile, toolCallRequest))
    const { origin } = yield* upstream
    const load = { ...yield* toolsList, bodyFile, headers: { "mcp-method": "tools/call", "mcp-name": "echo" } }
    const withRules = (name: string, settings: Readonly<Record<string, string>>) =>
      Effect.gen(function*() {
        const server = yield* gateway(origin, { settings })
        const { status } = yield* ask(server, load)
        if (status !== 200) return yield* Effect.die(new Error(`${name}: ${status}`))
        return yield* contender(name, server, load)
      })
    const contenders = [
      yield* withRules("no rules", {}),
      ...yield* Effect.forEach(counts, (count) => withRules(`rules ${count}`, { MCP_RULES: rulesOf(count) })),
      yield* withRules("a condition", { MCP_RULES: condition })
    ]
    const results = yield* takeTurns(contenders)
    const rate = (name: string) => median(valuesOf(results, name, perSecond))
    const against = (id: string, name: string) =>
      score(`rules/${id}`, `calls of a tool: ${name} to no rules`, rate(name) / rate("no rules"))
    return {
      figures: [...rateFigures(results), ...costFigures(results)],
      scores: [...counts.map((count) => against(String(count), `rules ${count}`)), against("condition", "a condition")],
      notes: []
    }
  })
}
