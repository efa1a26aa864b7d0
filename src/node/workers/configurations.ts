import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { withOriginsOf } from "../../config/origins.ts"
import { resolveSources } from "../../config/resolve.ts"
import { Generations, type Prepared } from "../generations/Generations.ts"
import { relogging } from "../reload/relogging.ts"
import type { Configuration, Preparation } from "./messages.ts"

/**
 * The configurations of a worker. Its primary orders it to prepare one, and to use it once all workers have prepared it.
 *
 * @param started the settings of the start
 */
export const makeConfigurations = Effect.fnUntraced(function*(started: GatewaySettings) {
  const generations = yield* Generations
  const turn = yield* Semaphore.make(1)
  let prepared: Prepared | undefined

  const discard = Effect.suspend(() => {
    const given = prepared
    prepared = undefined
    return Effect.as(given?.discard ?? Effect.void, given !== undefined)
  })

  const prepare = Effect.fnUntraced(
    function*({ generation, sources }: Configuration): Effect.fn.Return<Preparation> {
      yield* discard
      // The primary has already validated them. All workers keep the port of the start.
      const resolved = Result.getOrThrow(resolveSources(sources))
      const settings = withOriginsOf(resolved, { ...resolved, port: started.port })
      const around = relogging(started, settings)
      const found = yield* Effect.result(generations.prepare(settings, generation, around))
      if (Result.isFailure(found)) return { _tag: "Unusable", problems: found.failure.problems }
      prepared = found.success
      return { _tag: "Prepared", notReady: prepared.notReady }
    }
  )

  const commit = (generation: number) =>
    Effect.suspend(() => {
      const given = prepared
      if (given?.generation.number !== generation) return Effect.succeed(false)
      prepared = undefined
      return Effect.as(given.commit, true)
    })

  return {
    prepare: (configuration: Configuration) => turn.withPermits(1)(prepare(configuration)),
    commit: (generation: number) => turn.withPermits(1)(commit(generation)),
    discard: turn.withPermits(1)(discard)
  }
})
