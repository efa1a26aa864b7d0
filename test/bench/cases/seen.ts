/** Requests whose token the gateway has verified before. */
import * as Effect from "effect/Effect"
import { mustVerify } from "../ask.ts"
import type { Case } from "../Bench.ts"
import { median, score } from "../report/Outcome.ts"
import { contender, costFigures, perSecond, rateFigures, takeTurns, toolsList, valuesOf } from "../rounds.ts"
import { bareProxy, expressProxy, gateway, haproxy, upstream } from "../servers.ts"

export const seen: Case = {
  name: "seen",
  run: Effect.gen(function*() {
    const { origin } = yield* upstream
    const load = yield* toolsList
    const ours = yield* gateway(origin)
    const express = yield* expressProxy(origin)
    const third = yield* haproxy(origin)
    yield* Effect.forEach([ours, express, ...third === undefined ? [] : [third]], (server) => mustVerify(server, load))
    const contenders = [
      yield* contender("gateway", ours, load),
      yield* contender("gateway that logs", yield* gateway(origin, { settings: { MCP_LOG_LEVEL: "info" } }), load),
      yield* contender("bare proxy", yield* bareProxy(origin), load),
      yield* contender("Express, SDK", express, load),
      ...(third === undefined ? [] : [yield* contender("HAProxy", third, load)])
    ]
    const results = yield* takeTurns(contenders)
    const rate = (name: string) => median(valuesOf(results, name, perSecond))
    const against = (id: string, peer: string) =>
      score(`seen/${id}`, `token seen before: gateway to ${peer}`, rate("gateway") / rate(peer))
    return {
      figures: [...rateFigures(results), ...costFigures(results)],
      scores: [
        against("bare", "bare proxy"),
        ...(third === undefined ? [] : [against("haproxy", "HAProxy")]),
        against("express", "Express, SDK")
      ],
      notes: third === undefined ? ["HAProxy: not available (not installed)"] : []
    }
  })
}
