import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { changesBetween, restartNeeded } from "../../config/changes.ts"
import { InvalidConfiguration, problemLine } from "../../config/InvalidConfiguration.ts"
import { logWarnings } from "../../config/warnings.ts"
import { annotate } from "../../log/logFields.ts"
import type { FoundSources, Loaded } from "../commands/loadSettings.ts"
import { hostWarnings } from "../hostWarnings.ts"
import { countReload, noteConfiguration } from "./reloadMetrics.ts"

/** Why the configuration is read again: SIGHUP, or a file that has changed. */
export type ReloadTrigger = "file" | "signal"

/** What came of reading the configuration again. */
export interface ReloadAttempt {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly trigger: ReloadTrigger
  readonly outcome: "loaded" | "rejected" | "unchanged"
  /** The settings, providers and servers that have changed, by name. */
  readonly changed: ReadonlyArray<string>
  /** The providers whose keys could not be fetched. The gateway takes the configuration nevertheless, as it starts without. */
  readonly notReady: ReadonlyArray<string>
  /** The problems of the configuration, one line each, with the fix and without any configured value. */
  readonly problems: ReadonlyArray<string>
}

/** The configuration at work, for the status page and the metrics. */
export interface ReloadStatus {
  /** 1 at start, one more with each reload. */
  readonly generation: number
  /** When it took over, in milliseconds since 1970. */
  readonly since: number
  /** How many earlier generations have requests that have not ended. With workers: not known here. */
  readonly earlier: number | undefined
  readonly last: ReloadAttempt | undefined
  readonly lastFailure: ReloadAttempt | undefined
}

/** How the process takes a configuration. */
export interface Installer {
  /**
   * Makes a configuration current for arriving requests, or fails and changes nothing. Returns the providers whose keys
   * could not be fetched.
   */
  readonly install: (loaded: Loaded, generation: number) => Effect.Effect<ReadonlyArray<string>, InvalidConfiguration>
  readonly earlier?: (() => number) | undefined
  /** Writes an entry with the log settings of a configuration. */
  readonly logAs: (loaded: Loaded) => (effect: Effect.Effect<void>) => Effect.Effect<void>
}

export interface ReloadSource {
  readonly read: Effect.Effect<FoundSources, InvalidConfiguration>
  readonly check: (found: FoundSources) => Effect.Effect<Loaded, InvalidConfiguration>
}

const faultProblem = (defect: unknown) =>
  new InvalidConfiguration({
    problems: [{
      setting: "MCP_CONFIG_FILE",
      source: undefined,
      problem: `leads to a fault of the gateway's own (${defect instanceof Error ? defect.name : typeof defect})`,
      fix: "Restart the gateway with it, or report the fault"
    }]
  })

/** Reads the configuration again while the gateway runs. */
export class Reloader extends Context.Service<Reloader, {
  readonly status: Effect.Effect<ReloadStatus>
  /** Reads the configuration, and applies all of it or nothing. Never fails. One at a time. */
  readonly reload: (trigger: ReloadTrigger) => Effect.Effect<ReloadAttempt>
  readonly current: () => Loaded
  /** The files that the configuration comes from, and those of the last one that was read. */
  readonly files: () => ReadonlyArray<string>
}>()("mcp-authorizer/node/reload/Reloader") {
  /** @param started the configuration of the start */
  static readonly make = Effect.fnUntraced(function*(
    started: Loaded,
    { check, read }: ReloadSource,
    { earlier, install, logAs }: Installer
  ): Effect.fn.Return<Reloader["Service"]> {
    let current = started
    let generation = 1
    let since = yield* Clock.currentTimeMillis
    let tried: ReadonlyArray<string> = []
    let last: ReloadAttempt | undefined
    let lastFailure: ReloadAttempt | undefined
    yield* noteConfiguration(generation, true, since)

    const attempt = Effect.gen(function*() {
      const found = yield* read
      tried = found.files
      const loaded = yield* check(found)
      tried = []
      if (loaded.inputs === current.inputs) return { outcome: "unchanged", changed: [], notReady: [] } as const
      const fixed = restartNeeded(current.settings, loaded.settings)
      if (fixed !== undefined) return yield* fixed
      const changed = changesBetween(current.settings, loaded.settings)
      const notReady = yield* install(loaded, generation + 1)
      current = loaded
      generation++
      since = yield* Clock.currentTimeMillis
      return { outcome: "loaded", changed, notReady } as const
    })

    const report = Effect.fnUntraced(function*({ changed, notReady, outcome, problems, trigger }: ReloadAttempt) {
      switch (outcome) {
        case "unchanged":
          return yield* (trigger === "signal" ? Effect.logInfo : Effect.logDebug)("configuration unchanged")
        case "rejected":
          return yield* Effect.logError("configuration not reloaded").pipe(annotate({ generation, problems }))
        case "loaded":
          yield* logWarnings(current.settings, hostWarnings(current.settings))
          yield* Effect.logInfo("configuration reloaded").pipe(
            annotate({ generation, changed, ...(notReady.length === 0 ? {} : { not_ready: notReady }) })
          )
      }
    })

    const reload = Effect.fnUntraced(function*(trigger: ReloadTrigger) {
      const result = yield* Effect.result(Effect.catchDefect(attempt, (defect) => Effect.fail(faultProblem(defect))))
      const at = yield* Clock.currentTimeMillis
      const made: ReloadAttempt = Result.isSuccess(result)
        ? { at, trigger, problems: [], ...result.success }
        : {
          at,
          trigger,
          outcome: "rejected",
          changed: [],
          notReady: [],
          problems: result.failure.problems.map(problemLine)
        }
      last = made
      if (made.outcome === "rejected") lastFailure = made
      yield* countReload(made.outcome)
      yield* noteConfiguration(generation, made.outcome !== "rejected", at)
      yield* logAs(current)(report(made))
      return made
    })

    return Reloader.of({
      status: Effect.sync(() => ({ generation, since, earlier: earlier?.(), last, lastFailure })),
      reload,
      current: () => current,
      files: () => [...new Set([...current.files, ...tried])]
    })
  })
}
