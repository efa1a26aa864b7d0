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
  /** Which of its counters it is. It names callers: a store that others can read gets a digest of it. */
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
  /** When all counters can take as much; the length of a window where none of them ever can. */
  readonly waitMillis: number
}

/** The store cannot be asked, or gives no usable response. */
export class StoreFailed extends Data.TaggedError("StoreFailed")<{
  /** For the log: neither a key nor a password. */
  readonly detail: string
}> {}

/**
 * Whether a charge is made, or only tried: `count` adds to all counters, or to none of them where one would be exceeded;
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
 * The store that the gateway counts in, instead of its own memory; `undefined` unless a host provides one.
 *
 * On Node `MCP_STORE_URL` provides it. Elsewhere provide it yourself, for example with `makeRedisCounters` over the `Redis`
 * service of `effect/persistence`, which Bun and Deno have, too.
 */
export const LimitStore = Context.Reference<LimitCounters | undefined>("mcp-authorizer/limits/LimitStore", {
  defaultValue: () => undefined
})

/** What the servers of one gateway count in where there is no store; each has counters of its own unless a host provides one. */
export const LimitMemory = Context.Reference<LimitCounters | undefined>("mcp-authorizer/limits/LimitMemory", {
  defaultValue: () => undefined
})
