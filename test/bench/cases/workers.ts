/** The gain of a second process. */
import * as Effect from "effect/Effect"
import { Bench, type Case } from "../Bench.ts"
import { placement } from "../machine.ts"
import { run } from "../processes.ts"
import { median, score } from "../report/Outcome.ts"
import { contender, perSecond, rateFigures, takeTurns, toolsList, valuesOf } from "../rounds.ts"
import { gateway, upstream } from "../servers.ts"

export const workers: Case = {
  name: "workers",
  run: Effect.gen(function*() {
    const { gatewayFile } = yield* Bench
    const help = yield* run({ file: process.execPath, args: [gatewayFile, "--help"], cores: undefined })
    if (!help.includes("--workers")) {
      return { figures: [], scores: [], notes: ["workers: not available (this gateway has no --workers)"] }
    }
    const { origin } = yield* upstream
    const load = yield* toolsList
    const start = (count: number) =>
      gateway(origin, { args: ["--workers", String(count)], cores: placement.twoServers })
    const contenders = [
      yield* contender("one worker", yield* start(1), load),
      yield* contender("two workers", yield* start(2), load)
    ]
    const results = yield* takeTurns(contenders)
    const rate = (name: string) => median(valuesOf(results, name, perSecond))
    return {
      figures: rateFigures(results),
      scores: [score("workers/one", "two workers to one", rate("two workers") / rate("one worker"))],
      notes: placement.twoServers === undefined
        ? ["workers: this machine has no two cores to spare; the load generator takes its share of them"]
        : []
    }
  })
}
