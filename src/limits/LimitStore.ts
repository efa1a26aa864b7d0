/** Where requests are counted: in this process, or in a store that several processes share. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { RateLimit } from "../config/GatewaySettings.ts"

/** How a counter counts. */
export type Counting = Pick<RateLimit, "algorithm" | "limit" | "windowMillis">

/** What a request adds to one counter. */
export interface Charge {
  /** Which limit the counter belongs to. */
  readonly limit: string
  /** Which of its counters it is. It names callers, so a store that others can read gets a digest of it. */
  readonly key: string
  /** Whom the counter belongs to, who can fill a part of the memory only. */
  readonly owner: string
  readonly counting: Counting
  readonly tokens: number
}

/** A counter that cannot take what the request would add. */
export interface Exceeded {
  /** The place of its charge among those of the request. */
  readonly index: number
  /** When all counters have room for it; the length of a window if they never will. */
  readonly waitMillis: number
}

/** The store is unavailable, or sends no usable reply. */
export class StoreFailed extends Data.TaggedError("StoreFailed")<{
  /** For the log: neither a key nor a password. */
  readonly detail: string
}> {}

/**
 * Whether a charge is made, or only tried: `count` adds to all counters, or to none of them if one would be exceeded;
 * `look` adds nothing.
 */
export type ChargeMode = "count" | "look"

/** Counts requests. */
export interface LimitCounters {
  /** The counter that would be exceeded, if any. No counter may be among the charges twice. */
  readonly charge: (
    charges: ReadonlyArray<Charge>,
    mode: ChargeMode
  ) => Effect.Effect<Exceeded | undefined, StoreFailed>
}

/**
 * The store in which the gateway counts, instead of its own memory; `undefined` unless a host provides one.
 *
 * On Node `MCP_STORE_URL` provides it. Elsewhere provide it yourself, for example with `makeRedisCounters` over the `Redis`
 * service of `effect/persistence`, which Bun and Deno have, too.
 */
export const LimitStore = Context.Reference<LimitCounters | undefined>("mcp-authorizer/limits/LimitStore", {
  defaultValue: () => undefined
})

/**
 * The counters of the servers of one gateway if there is no store; each server has its own unless a host provides one.
 */
export const LimitMemory = Context.Reference<LimitCounters | undefined>("mcp-authorizer/limits/LimitMemory", {
  defaultValue: () => undefined
})
