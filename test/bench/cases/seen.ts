/** Requests whose token the gateway has verified before. */
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { temporaryDirectory } from "../../node/support/scratch.ts"
import { mustVerify } from "../ask.ts"
import type { Case } from "../Bench.ts"
import { figure, median, score } from "../report/Outcome.ts"
import { contender, costFigures, perSecond, rateFigures, takeTurns, toolsList, valuesOf } from "../rounds.ts"
import { bareProxy, expressProxy, fastmcp, gateway, haproxy, oauth2Proxy, upstream } from "../servers.ts"

/** Peers that verify tokens, too; `undefined` servers are not installed. */
const peers = Effect.fnUntraced(function*(origin: string) {
  return [
    { id: "haproxy", name: "HAProxy", server: yield* haproxy(origin), install: "apt-get install haproxy" },
    { id: "express", name: "Express, SDK", server: yield* expressProxy(origin), install: "npm ci" },
    {
      id: "oauth2-proxy",
      name: "oauth2-proxy",
      server: yield* oauth2Proxy(origin),
      install: "go install github.com/oauth2-proxy/oauth2-proxy/v7@latest; BENCH_OAUTH2_PROXY names the program"
    },
    {
      id: "fastmcp",
      name: "FastMCP auth",
      server: yield* fastmcp(),
      install: "pip install fastmcp; BENCH_FASTMCP_PYTHON names the Python that has it"
    }
  ]
})

export const seen: Case = {
  name: "seen",
  run: Effect.gen(function*() {
    const { origin } = yield* upstream
    const load = yield* toolsList
    const ours = yield* gateway(origin)
    yield* mustVerify(ours, load)
    const all = yield* peers(origin)
    const others = all.flatMap(({ id, name, server }) => server === undefined ? [] : [{ id, name, server }])
    yield* Effect.forEach(others, ({ server }) => mustVerify(server, load))
    const audit = join(yield* temporaryDirectory, "audit.log")
    const contenders = [
      yield* contender("gateway", ours, load),
      yield* contender("gateway that logs", yield* gateway(origin, { settings: { MCP_LOG_LEVEL: "info" } }), load),
      yield* contender(
        "gateway that audits",
        yield* gateway(origin, { settings: { MCP_AUDIT_LOG: audit } }),
        load
      ),
      yield* contender("bare proxy", yield* bareProxy(origin), load),
      ...yield* Effect.forEach(others, ({ name, server }) => contender(name, server, load))
    ]
    const results = yield* takeTurns(contenders)
    const rate = (name: string) => median(valuesOf(results, name, perSecond))
    const slowest = (name: string) => median(valuesOf(results, name, ({ p99 }) => p99))
    const against = (id: string, peer: string) =>
      score(`seen/${id}`, `token seen before: gateway to ${peer}`, rate("gateway") / rate(peer))
    return {
      figures: [
        ...rateFigures(results),
        ...costFigures(results),
        ...contenders.map(({ name }) =>
          figure(`${name}, slowest of 100`, "µs", valuesOf(results, name, ({ p99 }) => p99))
        )
      ],
      scores: [
        against("bare", "bare proxy"),
        ...others.map(({ id, name }) => against(id, name)),
        score("seen/logs", "gateway that logs to one that does not", rate("gateway that logs") / rate("gateway")),
        score("seen/audit", "gateway that audits to one that does not", rate("gateway that audits") / rate("gateway")),
        ...others.filter(({ id }) => id === "haproxy").map(({ name }) =>
          score("seen/p99", `p99: gateway to ${name}`, slowest("gateway") / slowest(name))
        )
      ],
      notes: all.filter(({ server }) => server === undefined).map(({ install, name }) =>
        `${name}: not measured, because it is not installed (${install})`
      )
    }
  })
}
