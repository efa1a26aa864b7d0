/** The commands of the generated histories of a key cache. */
import * as Schema from "effect/Schema"

export const integers = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const maxAge = <A extends Schema.Schema<number>>(seconds: A) => Schema.TaggedStruct("MaxAge", { seconds })

/** Lifetimes below the contract's bounds, within them, and above. */
export const lifetimes = {
  short: Schema.Union([maxAge(Schema.Literals([0, 1, 59])), Schema.TaggedStruct("NoStore", {})]),
  allowed: Schema.Union([
    maxAge(Schema.Literals([60, 61, 300, 900, 86_400])),
    maxAge(integers(60, 1200)),
    Schema.TaggedStruct("Unsaid", {})
  ]),
  long: Schema.Union([maxAge(Schema.Literal(31_536_000)), maxAge(integers(86_401, 1_000_000_000))])
} as const

/** The lifetime that a provider claims for its set (RFC 9111, section 5.2.2). */
export const Lifetime = Schema.Union([lifetimes.short, lifetimes.allowed, lifetimes.long])
export type Lifetime = typeof Lifetime.Type

const slow = Schema.TaggedStruct("Slow", { seconds: integers(1, 4) })

/** The ways in which a provider responds correctly. */
const healthy = [Schema.TaggedStruct("Prompt", {}), slow] as const

/** No response. */
const silent = Schema.TaggedStruct("Silent", {})

/** The head of a response and a part of its body, without an end. */
const dripping = Schema.TaggedStruct("Dripping", {})

/** The ways in which a provider fails. */
const unhealthy = [
  Schema.TaggedStruct("Status", {
    status: Schema.Literals([201, 204, 206, 304, 400, 401, 403, 404, 429, 500, 502, 503])
  }),
  silent,
  dripping,
  Schema.TaggedStruct("ConnectionRefused", {}),
  /** The connection closes within the body. */
  Schema.TaggedStruct("Broken", {}),
  /** Status 200 with something that is not a key set. */
  Schema.TaggedStruct("Nonsense", {
    text: Schema.Literals([
      "",
      "<!doctype html><title>Sign in</title>",
      "null",
      "[]",
      "{}",
      "{\"keys\":null}",
      "{\"keys\":{\"0\":{}}}",
      "{\"keys\":[],\"keys\":[]}",
      "{\"keys\":[",
      `{"keys":${"[".repeat(10_000)}`
    ])
  }),
  /** The key set, and 100 MiB of white space. */
  Schema.TaggedStruct("Oversized", {}),
  /** To a URL with keys of an attacker. */
  Schema.TaggedStruct("Redirect", { status: Schema.Literals([301, 302, 303, 307, 308]) })
] as const

export const Health = Schema.Union([...healthy, ...unhealthy])
export type Health = typeof Health.Type

/** The ways in which a provider delays its response. */
export const Late = Schema.Union([slow, silent, dripping])

export const isHealthy = ({ _tag }: Health): boolean => _tag === "Prompt" || _tag === "Slow"

const dishonest = [
  /** Returns the first value that was stored. */
  Schema.TaggedStruct("Replaying", {}),
  /** Returns something else. */
  Schema.TaggedStruct("Lying", {
    lie: Schema.Literals(["Nonsense", "Truncated", "OtherUri", "Ended", "FarFuture", "UnusableKeys", "NoKeys"])
  })
] as const

const unreliable = [
  Schema.TaggedStruct("Failing", {}),
  Schema.TaggedStruct("Throwing", {}),
  Schema.TaggedStruct("Silent", {}),
  /** Stores nothing. */
  Schema.TaggedStruct("Forgetful", {})
] as const

/** The behaviour of the shared store. */
export const StoreBehaviour = Schema.Union([Schema.TaggedStruct("Honest", {}), ...unreliable, ...dishonest])
export type StoreBehaviour = typeof StoreBehaviour.Type

// Two instances that share the store. One of them gets most of the lookups.
const instance = Schema.Literals([0, 0, 0, 1])

// Few keys, so that the same key recurs often.
const key = Schema.Literals([0, 0, 1, 1, 2])

// How many callers look up concurrently, and whether the first of them leaves while it waits.
const askers = { count: Schema.Literals([1, 1, 2, 20]), leaves: Schema.Boolean }

export const Ask = Schema.TaggedStruct("Ask", { instance, key, ...askers })
export const AskFirst = Schema.TaggedStruct("Ask", { instance, key: Schema.Literal(0), ...askers })
/** Looks up the key that was published last. */
export const AskNewest = Schema.TaggedStruct("AskNewest", { instance, ...askers })
export const AskUnknown = Schema.TaggedStruct("AskUnknown", { instance, kid: integers(0, 1_000_000), ...askers })
export const Prefetch = Schema.TaggedStruct("Prefetch", { instance })
export const Phase = Schema.TaggedStruct("Phase", { instance })
/** Publishes another key. */
export const Publish = Schema.TaggedStruct("Publish", {})
/** Withdraws a key. */
export const Withdraw = Schema.TaggedStruct("Withdraw", { key })
/** Withdraws a key other than the first. */
export const WithdrawLater = Schema.TaggedStruct("Withdraw", { key: Schema.Literals([1, 2]) })
/** Replaces a key by another one, or publishes one if there is no such key. */
const Renew = Schema.TaggedStruct("Renew", { key })
/** Publishes another key under the `kid` of a published one. */
export const Repeat = Schema.TaggedStruct("Repeat", { key: Schema.Literals([1, 2]) })
export const SetHealth = Schema.TaggedStruct("SetHealth", { health: Health })
export const BeginOutage = Schema.TaggedStruct("SetHealth", { health: Schema.Union(unhealthy) })
export const Recover = Schema.TaggedStruct("SetHealth", { health: Schema.Union(healthy) })
export const SetLifetime = Schema.TaggedStruct("SetLifetime", { lifetime: Lifetime })
export const SetStore = Schema.TaggedStruct("SetStore", { behaviour: StoreBehaviour })
export const CorruptStore = Schema.TaggedStruct("SetStore", { behaviour: Schema.Union(dishonest) })
/** Makes the store fail in any way. */
export const BreakStore = Schema.TaggedStruct("SetStore", { behaviour: Schema.Union([...unreliable, ...dishonest]) })
/** Makes the store return a foreign key, in an entry that must not be used. */
export const ServeForeignEntry = Schema.TaggedStruct("SetStore", {
  behaviour: Schema.TaggedStruct("Lying", { lie: Schema.Literals(["OtherUri", "Ended", "FarFuture"]) })
})
/** Replaces an instance by another process. */
export const Restart = Schema.TaggedStruct("Restart", { instance })
/** Around the limits of the contract. */
export const Wait = Schema.TaggedStruct("Wait", {
  seconds: Schema.Union([
    Schema.Literals([1, 5, 9, 10, 11, 15, 20, 29, 30, 31, 47, 50, 59, 60, 290, 299, 300, 301]),
    integers(1, 60)
  ])
})
/** Around the pause after a failure. */
export const WaitBriefly = Schema.TaggedStruct("Wait", { seconds: Schema.Literals([3, 5, 7, 9, 10, 11]) })
/** Around the end of stale use, and of the longest lifetime. */
export const WaitLong = Schema.TaggedStruct("Wait", {
  seconds: Schema.Literals([900, 3300, 3550, 3600, 3610, 3900, 7200, 86_400, 90_100])
})

/** Until no set is usable any more. */
export const WaitOut = Schema.TaggedStruct("Wait", { seconds: Schema.Literals([3910, 7200, 86_400, 90_100]) })

type Command =
  | typeof Ask.Type
  | typeof AskNewest.Type
  | typeof AskUnknown.Type
  | typeof Prefetch.Type
  | typeof Phase.Type
  | typeof Publish.Type
  | typeof Withdraw.Type
  | typeof Renew.Type
  | typeof Repeat.Type
  | typeof SetHealth.Type
  | typeof SetLifetime.Type
  | typeof SetStore.Type
  | typeof Restart.Type
  | typeof Wait.Type

export type { Command }
