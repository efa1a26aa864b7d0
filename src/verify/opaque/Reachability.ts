import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { SharedIo } from "../../fairness/SharedIo.ts"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import type { ProviderRequestFailed } from "../../remote/ProviderRequestFailed.ts"
import type { ProviderReach } from "./providerRejection.ts"

/** What was found about a provider, and why, for the log. */
export interface Found {
  readonly reach: ProviderReach
  readonly detail: string
}

/** Asks a provider about no real token. */
export type Probe = Effect.Effect<Found>

/**
 * How hosts whose instances do not live long enough to remember share what a probe has found; others ask anew.
 *
 * Gets the name of the provider. What it gives must not ask more often than once in a few seconds.
 */
export const SharedProbe = Context.Reference<(provider: string, probe: Probe) => Probe>(
  "mcp-authorizer/verify/opaque/SharedProbe",
  { defaultValue: () => (_provider, probe) => probe }
)

/** For how long an answer counts, and how long where there is doubt: so often is a provider probed at most. */
const goodMillis = 5_000
const doubtfulMillis = 1_000

/** Whether a provider of opaque tokens can be asked. */
export interface Reachability {
  /** The same client, whose answers count as evidence. */
  readonly observed: ProviderHttp["Service"]
  /** What is known, from a short time ago or from a probe. */
  readonly current: Effect.Effect<ProviderReach>
}

/**
 * Makes the judgement whether a provider can be asked.
 *
 * Every answer to a real question is evidence that it can. That it cannot is believed of a probe only, or of a connection
 * that failed, because clients could provoke other failures with odd tokens. It is probed when somebody wants to know, by
 * one at a time, at most once in 5 seconds, and once in a second where a question has failed since.
 */
export const makeReachability = Effect.fnUntraced(function*(
  provider: string,
  http: ProviderHttp["Service"],
  ownProbe: Probe
) {
  const probe = (yield* SharedProbe)(provider, ownProbe)
  const sharedIo = yield* SharedIo
  const turn = yield* Semaphore.make(1)
  let known: { readonly reach: ProviderReach; readonly at: number } | undefined
  let isDoubtful = false
  // Logged when it changes; a provider that is ready from the start needs no entry.
  let told: ProviderReach = "ready"

  const believe = (reach: ProviderReach, at: number) => {
    known = { reach, at }
    isDoubtful = false
  }

  const tell = ({ detail, reach }: Found): Effect.Effect<void> => {
    if (reach === told) return Effect.void
    told = reach
    return Effect.annotateLogs(
      reach === "ready"
        ? Effect.logInfo("A provider can be asked again")
        : Effect.logWarning("A provider cannot be asked"),
      { provider, ...(reach === "ready" ? {} : { reason: detail }) }
    )
  }

  const note = Effect.fnUntraced(function*(failure: ProviderRequestFailed | undefined) {
    const now = yield* Clock.currentTimeMillis
    if (failure === undefined) {
      believe("ready", now)
      return yield* tell({ reach: "ready", detail: "" })
    }
    isDoubtful = true
    // With the time of the last good evidence, so that it is probed as soon as it may be.
    if (failure.kind === "Unreachable" && known !== undefined) known = { reach: "unavailable", at: known.at }
  })

  /** What is known and not too old. */
  const fresh = Effect.map(Clock.currentTimeMillis, (now) => {
    if (known === undefined) return undefined
    const age = now - known.at
    return age >= 0 && age < (isDoubtful ? doubtfulMillis : goodMillis) ? known.reach : undefined
  })

  const look = Effect.gen(function*() {
    // Somebody may have looked while we waited for our turn.
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
