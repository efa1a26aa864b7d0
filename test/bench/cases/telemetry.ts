/** Requests that are traced, and requests that are not because nothing is exported. */
import * as Effect from "effect/Effect"
import { mustVerify } from "../ask.ts"
import type { Case } from "../Bench.ts"
import { median, score } from "../report/Outcome.ts"
import { contender, costFigures, perSecond, rateFigures, takeTurns, toolsList, valuesOf } from "../rounds.ts"
import { collector, gateway, upstream } from "../servers.ts"

export const telemetry: Case = {
  name: "telemetry",
  run: Effect.gen(function*() {
    const { origin } = yield* upstream
    const sink = yield* collector
    const load = yield* toolsList
    const withVariables = (name: string, settings: Readonly<Record<string, string>>) =>
      Effect.gen(function*() {
        const server = yield* gateway(origin, { settings })
        yield* mustVerify(server, load)
        return yield* contender(name, server, load)
      })
    const traces = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${sink.origin}/v1/traces` }
    const contenders = [
      yield* withVariables("nothing exported", {}),
      yield* withVariables("metrics", { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${sink.origin}/v1/metrics` }),
      yield* withVariables("1 trace of 100", {
        ...traces,
        OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
        OTEL_TRACES_SAMPLER_ARG: "0.01"
      }),
      yield* withVariables("every trace", traces)
    ]
    const results = yield* takeTurns(contenders)
    const rate = (name: string) => median(valuesOf(results, name, perSecond))
    const against = (id: string, name: string) =>
      score(`telemetry/${id}`, `exported: ${name} to nothing`, rate(name) / rate("nothing exported"))
    return {
      figures: [...rateFigures(results), ...costFigures(results)],
      scores: [against("metrics", "metrics"), against("sampled", "1 trace of 100"), against("all", "every trace")],
      notes: []
    }
  })
}
