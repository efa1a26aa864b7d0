import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { KeySetState } from "../keys/keySetState.ts"
import type { ProviderState } from "../verify/ProviderRegistry.ts"
import { version } from "../version.ts"
import { type Activity, idleProvider, idleServer } from "./activity/Activity.ts"
import { History, slotCount, slotMillis } from "./activity/History.ts"
import { AdminSource } from "./AdminSource.ts"
import { ConfigurationState } from "./ConfigurationState.ts"
import type { GatewayFacts } from "./gatewayFacts.ts"
import type { KeysStatus, ProviderStatus, ServerStatus, Status } from "./page/Status.ts"

/** Converts the offsets in the state of a key set to times. */
const keysAt = (now: number) => ({ fetchedIn, freshUntilIn, nextFetchIn, ...set }: KeySetState): KeysStatus => ({
  ...set,
  ...(fetchedIn === undefined ? {} : { fetchedAt: now + fetchedIn }),
  ...(freshUntilIn === undefined ? {} : { freshUntil: now + freshUntilIn }),
  ...(nextFetchIn === undefined ? {} : { nextFetchAt: now + nextFetchIn })
})

const serversAt = (
  { servers }: GatewayFacts,
  activity: Activity,
  history: History,
  now: number
): ReadonlyArray<ServerStatus> =>
  servers.map((facts) => {
    const { lastError, lastResponseAt } = activity.servers[facts.name] ?? idleServer
    const isFailing = lastError !== undefined && lastError.error !== "Status" && lastError.at > (lastResponseAt ?? 0)
    return {
      ...facts,
      state: isFailing ? "failing" : lastResponseAt === undefined ? "idle" : "ok",
      ...(lastResponseAt === undefined ? {} : { lastPassedAt: lastResponseAt }),
      ...(lastError === undefined ? {} : { lastError }),
      traffic: history.traffic(activity, [facts.name], now)
    }
  })

const providersAt = (
  { providers }: GatewayFacts,
  states: ReadonlyArray<ProviderState>,
  activity: Activity,
  now: number
): ReadonlyArray<ProviderStatus> =>
  providers.map(({ name, type }) => {
    const found = states.find(({ provider }) => provider === name)
    return {
      name,
      type,
      // No process that replied knows the provider, so none of its tokens was verified yet.
      ready: found?.ready ?? false,
      state: found?.state ?? "empty",
      keySets: (found?.keySets ?? []).map(keysAt(now)),
      ...(activity.providers[name] ?? idleProvider)
    }
  })

/**
 * The data of the status page, for all processes together.
 *
 * Keeps the last hour: while its scope is open, it samples the activity every ten seconds.
 */
export class StatusBoard extends Context.Service<StatusBoard, {
  readonly status: Effect.Effect<Status>
}>()("mcp-authorizer/admin/StatusBoard") {
  static readonly layer: Layer.Layer<StatusBoard, never, AdminSource> = Layer.effect(
    StatusBoard,
    Effect.gen(function*() {
      const source = yield* AdminSource
      const configuration = yield* ConfigurationState
      const startedAt = yield* Clock.currentTimeMillis
      const history = new History(startedAt)

      const sample = Effect.gen(function*() {
        history.sample(yield* source.activity, yield* Clock.currentTimeMillis)
      })
      // A fault must not end the sampling. The next sample includes the missing time.
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(slotMillis), Effect.ignoreCause(sample))))

      const status = Effect.gen(function*(): Effect.fn.Return<Status> {
        const [{ heard, processes, states }, activity, facts] = yield* Effect.all(
          [source.providers, source.activity, source.facts],
          { concurrency: "unbounded" }
        )
        const now = yield* Clock.currentTimeMillis
        history.sample(activity, now)
        return {
          now,
          startedAt,
          version,
          workers: { configured: processes, heard },
          configuration: yield* configuration,
          slots: { millis: slotMillis, count: slotCount, until: history.until },
          traffic: history.traffic(activity, [...new Set(["", ...facts.servers.map(({ name }) => name)])], now),
          servers: serversAt(facts, activity, history, now),
          providers: providersAt(facts, states, activity, now),
          rejections: Object.entries(activity.rejections).map(([reason, { count, last }]) => ({
            reason,
            sinceStart: count,
            lastHour: history.rejections(activity, reason),
            last
          })),
          warnings: facts.warnings,
          settings: facts.settings
        }
      })

      return StatusBoard.of({ status })
    })
  )
}
