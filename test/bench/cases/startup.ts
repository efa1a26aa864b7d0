/** From the start of the process to its first response. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { performance } from "node:perf_hooks"
import { ask } from "../ask.ts"
import { Bench, type Case } from "../Bench.ts"
import type { Running } from "../processes.ts"
import { figure, median, score } from "../report/Outcome.ts"
import { toolsList } from "../rounds.ts"
import { emptyServer, gateway, upstream } from "../servers.ts"

// Starting is quick and its time scatters: more rounds than of anything else cost next to nothing.
const times = 3

export const startup: Case = {
  name: "startup",
  run: Effect.gen(function*() {
    const { rounds } = yield* Bench
    const load = yield* toolsList
    const { origin } = yield* upstream
    const empty: Array<number> = []
    const firstResponses: Array<number> = []
    const forwarded: Array<number> = []
    const time = <R>(server: Effect.Effect<Running, never, R | Scope.Scope>, authenticated: boolean) =>
      Effect.scoped(Effect.gen(function*() {
        const from = performance.now()
        const running = yield* server
        const first = performance.now() - from
        if (authenticated) {
          const { status } = yield* ask(running, load)
          if (status !== 200) return yield* Effect.die(new Error(`the response to the first request was ${status}`))
        }
        return { first, whole: performance.now() - from }
      }))
    for (let round = 0; round < rounds * times; round++) {
      empty.push((yield* time(emptyServer, false)).first)
      const { first, whole } = yield* time(gateway(origin), true)
      firstResponses.push(first)
      forwarded.push(whole)
    }
    return {
      figures: [
        figure("empty server", "ms", empty),
        figure("gateway, first response", "ms", firstResponses),
        figure("gateway, first request forwarded", "ms", forwarded)
      ],
      scores: [
        score(
          "startup/empty",
          "start to first response: gateway to an empty server",
          median(firstResponses) / median(empty)
        )
      ],
      notes: []
    }
  })
}
