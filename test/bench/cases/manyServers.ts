/** The cost of many MCP servers behind one gateway. */
import * as Effect from "effect/Effect"
import { mustVerify } from "../ask.ts"
import type { Case } from "../Bench.ts"
import { median, score } from "../report/Outcome.ts"
import { contender, costFigures, perSecond, rateFigures, takeTurns, toolsList, valuesOf } from "../rounds.ts"
import { gateway, upstream } from "../servers.ts"

const many = 200

/** This number of servers, of which one gets the load; every second of the others has its own host. */
const serversOf = (count: number, url: string) =>
  Array.from({ length: count }, (_, index) =>
    index === 0
      ? { name: "load", path: "/mcp", url }
      : {
        name: `server-${index}`,
        path: `/team-${index}/mcp`,
        url,
        ...(index % 2 === 0 ? {} : { host: `h${index}.example` })
      })

const gatewayOf = (count: number, origin: string) =>
  gateway(origin, { settings: { MCP_SERVER_URL: "", MCP_SERVERS: JSON.stringify(serversOf(count, `${origin}/mcp`)) } })

export const manyServers: Case = {
  name: "servers",
  run: Effect.gen(function*() {
    const { origin } = yield* upstream
    const load = yield* toolsList
    const single = yield* gateway(origin)
    const one = yield* gatewayOf(1, origin)
    const all = yield* gatewayOf(many, origin)
    yield* Effect.forEach([single, one, all], (server) => mustVerify(server, load))
    const contenders = [
      yield* contender("one server, by MCP_SERVER_URL", single, load),
      yield* contender("one server, by MCP_SERVERS", one, load),
      yield* contender(`${many} servers`, all, load)
    ]
    const results = yield* takeTurns(contenders)
    const rate = (name: string) => median(valuesOf(results, name, perSecond))
    return {
      figures: [...rateFigures(results), ...costFigures(results)],
      scores: [
        score(
          "servers/listed",
          "one server: by MCP_SERVERS to by MCP_SERVER_URL",
          rate("one server, by MCP_SERVERS") / rate("one server, by MCP_SERVER_URL")
        ),
        score("servers/one", `${many} servers to one`, rate(`${many} servers`) / rate("one server, by MCP_SERVERS"))
      ],
      notes: []
    }
  })
}
