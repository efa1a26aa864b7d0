import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { SharedIo } from "../../fairness/SharedIo.ts"
import { annotate } from "../../log/logFields.ts"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import type { ProviderRequestFailed } from "../../remote/ProviderRequestFailed.ts"
import type { ProviderReach } from "./providerRejection.ts"

/** The state of a provider, and the reason, for the log. */
export interface Found {
  readonly reach: ProviderReach
  readonly detail: string
}

/** Sends a request to the provider with a made-up token. */
export type Probe = Effect.Effect<Found>

/**
 * How hosts with short-lived instances share the result of a probe. Other hosts run each probe.
 *
 * Must not run the probe more often than once in a few seconds.
 */
export const SharedProbe = Context.Reference<(provider: string, probe: Probe) => Probe>(
  "mcp-authorizer/verify/opaque/SharedProbe",
  { defaultValue: () => (_provider, probe) => probe }
)

/** How long a result stays valid, and how long after a failed request. A provider is probed no more often than this. */
const goodMillis = 5_000
const doubtfulMillis = 1_000

/** Whether a provider of opaque tokens can be requested. */
export interface Reachability {
  /** The given client. Its responses show whether the provider can be requested. */
  readonly observed: ProviderHttp["Service"]
  /** Returns the current state: a recent result, or the result of a new probe. */
  readonly current: Effect.Effect<ProviderReach>
}

/**
 * Builds the reachability of a provider.
 *
 * Every response to a real request shows that the provider can be requested. Only a probe or a failed connection shows
 * that it cannot, because clients could provoke other failures with malformed tokens. The provider is probed on demand,
 * by one request at a time, at most once in 5 seconds, or once a second if a request has failed since.
 */
export const makeReachability = Effect.fnUntraced(function*(
  provider: string,
  http: ProviderHttp["Service"],
  ownProbe: Probe
) {
  const probe = (yield* SharedProbe)(provider, ownProbe)
  const sharedIo = yield* SharedIo
  const turn = yield* Semaphore.make(1)
  let latest: { readonly reach: ProviderReach; readonly at: number } | undefined
  let isDoubtful = false
  // Only changes are logged, and a provider that is ready from the start is not.
  let logged: ProviderReach = "ready"

  const believe = (reach: ProviderReach, at: number) => {
    latest = { reach, at }
    isDoubtful = false
  }

  const tell = ({ detail, reach }: Found): Effect.Effect<void> => {
    if (reach === logged) return Effect.void
    logged = reach
    return reach === "ready"
      ? Effect.logInfo("A provider is reachable again").pipe(annotate({ provider }))
      : Effect.logWarning("A provider is unreachable").pipe(annotate({ provider, reason: detail }))
  }

  const note = Effect.fnUntraced(function*(failure: ProviderRequestFailed | undefined) {
    const now = yield* Clock.currentTimeMillis
    if (failure === undefined) {
      believe("ready", now)
      return yield* tell({ reach: "ready", detail: "" })
    }
    isDoubtful = true
    // The time of the last good result is kept, so that the provider is probed as soon as possible.
    if (failure.kind === "Unreachable" && latest !== undefined) latest = { reach: "unavailable", at: latest.at }
  })

  /** Returns the last result, if it is recent enough. */
  const fresh = Effect.map(Clock.currentTimeMillis, (now) => {
    if (latest === undefined) return undefined
    const age = now - latest.at
    return age >= 0 && age < (isDoubtful ? doubtfulMillis : goodMillis) ? latest.reach : undefined
  })

  const look = Effect.gen(function*() {
    // Another request may have probed while this one waited for the lock.
    const found = yield* fresh
    if (found !== undefined) return found
    const probed = yield* probe
    believe(probed.reach, yield* Clock.currentTimeMillis)
    yield* tell(probed)
    return probed.reach
  })

  const reachability: Reachability = {
    observed: {
      send: (request) =>
        http.send(request).pipe(Effect.tap(() => note(undefined)), Effect.tapError((failure) => note(failure)))
    },
    current: Effect.flatMap(
      fresh,
      (found) => found === undefined ? sharedIo ? turn.withPermits(1)(look) : look : Effect.succeed(found)
    )
  }
  return reachability
})
