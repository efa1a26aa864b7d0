import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { checkSources, type CommandLine, type Loaded, readSources } from "../commands/loadSettings.ts"
import { Generations } from "../generations/Generations.ts"
import { Reloader, type ReloadSource } from "./Reloader.ts"
import { relogging } from "./relogging.ts"
import { followTriggers, type Triggers } from "./triggers.ts"

export const sourceOf = (options: CommandLine): ReloadSource => ({ read: readSources(options), check: checkSources })

/**
 * Changes the configuration of a process without workers, at each trigger.
 *
 * @param started the configuration of the start
 */
export const layerReloading = (
  options: CommandLine,
  started: Loaded,
  triggers: Triggers
): Layer.Layer<Reloader, never, Generations> =>
  Layer.effect(
    Reloader,
    Effect.gen(function*() {
      const generations = yield* Generations
      const around = ({ settings }: Loaded) => relogging(started.settings, settings)
      const reloader = yield* Reloader.make(started, sourceOf(options), {
        install: Effect.fnUntraced(function*(loaded, number) {
          const { commit, notReady } = yield* generations.prepare(loaded.settings, number, around(loaded))
          yield* commit
          return notReady
        }),
        earlier: () => generations.all().length - 1,
        logAs: (loaded) => Effect.provide(around(loaded))
      })
      yield* followTriggers(triggers, reloader)
      return reloader
    })
  )
