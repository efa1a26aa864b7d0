/** The store that counts requests: the memory of this process, or a store that several processes share. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { RateLimit } from "../config/GatewaySettings.ts"

export type Counting = Pick<RateLimit, "algorithm" | "limit" | "windowMillis">

/** What a request adds to one counter. */
export interface Charge {
  readonly limit: string
  /**
   * Which counter of the limit it is. The key names callers, so a store that others can read gets only a digest of it.
   */
  readonly key: string
  /** The owner of the counter, who can use only a part of the memory. */
  readonly owner: string
  readonly counting: Counting
  readonly tokens: number
}

/** A counter that has no room for what the request adds. */
export interface Exceeded {
  /** The index of the charge among those of the request. */
  readonly index: number
  /** After how many milliseconds all counters have room; the length of a window if they never will. */
  readonly waitMillis: number
}

/** The store is unavailable, or sends no usable reply. */
export class StoreFailed extends Data.TaggedError("StoreFailed")<{
  /** For the log. Contains neither a key nor a password. */
  readonly detail: string
}> {}

/**
 * `count` adds to all counters, or to none of them if one would be exceeded; `look` only reports whether one would be.
 */
export type ChargeMode = "count" | "look"

/** Counts requests. */
export interface LimitCounters {
  /** Returns the counter that would be exceeded, if any. The charges must be for different counters. */
  readonly charge: (
    charges: ReadonlyArray<Charge>,
    mode: ChargeMode
  ) => Effect.Effect<Exceeded | undefined, StoreFailed>
}

/**
 * The store in which the gateway counts, instead of its own memory; `undefined` unless a host provides one.
 *
 * On Node, `MCP_STORE_URL` provides it. Elsewhere provide it yourself, for example with `makeRedisCounters` and the
 * `Redis` service of `effect/persistence`, which is available for Bun and Deno, too.
 */
export const LimitStore = Context.Reference<LimitCounters | undefined>("mcp-authorizer/limits/LimitStore", {
  defaultValue: () => undefined
})

/**
 * The counters that all servers of one gateway share, if there is no store. Without this service, each server has its
 * own.
 */
export const LimitMemory = Context.Reference<LimitCounters | undefined>("mcp-authorizer/limits/LimitMemory", {
  defaultValue: () => undefined
})
