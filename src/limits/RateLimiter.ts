/** The rate limits of one server. */
import * as Effect from "effect/Effect"
import type { GatewaySettings, RateLimit } from "../config/GatewaySettings.ts"
import { RateLimited, StoreUnavailable } from "../errors/GatewayError.ts"
import { type LimitedCaller, type LimitedMessage, makeCharges, type PlacedCharge } from "./charges.ts"
import { countLimited, countStoreFailure } from "./limitMetrics.ts"
import type { ChargeMode, Exceeded, LimitCounters } from "./LimitStore.ts"

/** Why a request is rejected: it exceeds a limit, or it could not be counted. */
export type LimitError = RateLimited | StoreUnavailable

/** Limits how often requests are made, and how often tokens are wrong. */
export interface RateLimiter {
  /** Whether messages are limited at all; if not, `admit` need not be called. */
  readonly limitsMessages: boolean
  readonly limitsFailures: boolean
  /** Counts the messages of a request. If that would exceed a limit, none of them is counted anywhere. */
  readonly admit: (caller: LimitedCaller, messages: ReadonlyArray<LimitedMessage>) => Effect.Effect<void, LimitError>
  /** Fails if this address has sent too many wrong tokens. */
  readonly mayTry: (address: string) => Effect.Effect<void, LimitError>
  /** Counts a token that was rejected. */
  readonly noteFailure: (address: string) => Effect.Effect<void>
}

export type LimiterSettings = Pick<GatewaySettings, "rateLimits" | "storeFailure">

const described = ({ by, limit, on, windowMillis }: RateLimit): string =>
  `${limit} ${on} in ${windowMillis / 1000} s by ${by.join(", ")}`

/** The `Retry-After` while the store fails: after this time, the store is tried again. */
const retryStoreSeconds = 1

/**
 * Makes the limiter of one server.
 *
 * @param server the name of the server
 * @param memory the counters of this process
 * @param store the counters to use instead, if there is a store
 */
export const makeRateLimiter = (
  { rateLimits, storeFailure }: LimiterSettings,
  server: string,
  memory: LimitCounters,
  store: LimitCounters | undefined
): RateLimiter => {
  const charges = makeCharges(rateLimits, server)

  const withoutStore = (
    made: ReadonlyArray<PlacedCharge>,
    mode: ChargeMode,
    detail: string
  ): Effect.Effect<Exceeded | undefined, StoreUnavailable> => {
    switch (storeFailure) {
      case "open":
        return Effect.succeed(undefined)
      case "closed":
        return Effect.fail(new StoreUnavailable({ detail, retryAfter: retryStoreSeconds }))
      case "local":
        return Effect.orDie(memory.charge(made, mode))
    }
  }

  const charge = (made: ReadonlyArray<PlacedCharge>, mode: ChargeMode) =>
    store === undefined
      ? Effect.orDie(memory.charge(made, mode))
      : Effect.catch(
        store.charge(made, mode),
        ({ detail }) => Effect.andThen(countStoreFailure(storeFailure), withoutStore(made, mode, detail))
      )

  const check = Effect.fnUntraced(function*(
    made: ReadonlyArray<PlacedCharge>,
    mode: ChargeMode
  ): Effect.fn.Return<void, LimitError> {
    if (made.length === 0) return
    const exceeded = yield* charge(made, mode)
    if (exceeded === undefined) return
    const place = made[exceeded.index]?.place ?? 0
    const limit = rateLimits[place]
    if (limit !== undefined) yield* countLimited(limit.on)
    return yield* new RateLimited({
      detail: `entry ${place + 1} of MCP_RATE_LIMITS${limit === undefined ? "" : `: ${described(limit)}`}`,
      retryAfter: exceeded.waitMillis / 1000
    })
  })

  return {
    limitsMessages: charges.limitsMessages,
    limitsFailures: charges.limitsFailures,
    admit: (caller, messages) => check(charges.ofMessages(caller, messages), "count"),
    mayTry: (address) => check(charges.ofFailure(address), "look"),
    noteFailure: (address) => Effect.ignore(check(charges.ofFailure(address), "count"))
  }
}
