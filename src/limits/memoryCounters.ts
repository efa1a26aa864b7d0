import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { attempt, type Counter } from "./counter.ts"
import type { Charge, ChargeMode, Exceeded, LimitCounters } from "./LimitStore.ts"

export interface MemoryBounds {
  readonly counters: number
  /** The maximum number of counters of one owner. */
  readonly perOwner: number
}

/** The limits of a gateway's own memory. */
export const memoryBounds: MemoryBounds = { counters: 65_536, perOwner: 1_024 }

interface Kept extends Counter {
  count: number
  until: number
  readonly limit: string
  readonly key: string
  readonly owner: string
}

class Memory {
  readonly #bounds: MemoryBounds
  /**
   * Counters by limit and key. In each map, windows are in the order of their beginnings, and buckets in the order of
   * their last use.
   */
  readonly #limits = new Map<string, Map<string, Kept>>()
  readonly #owned = new Map<string, Set<Kept>>()
  #size = 0

  constructor(bounds: MemoryBounds) {
    this.#bounds = bounds
  }

  charge(charges: ReadonlyArray<Charge>, mode: ChargeMode, now: number): Exceeded | undefined {
    let exceeded: Exceeded | undefined
    const attempts = charges.map((charge, index) => {
      const kept = this.#limits.get(charge.limit)?.get(charge.key)
      const tried = attempt(charge.counting, kept, charge.tokens, now)
      const hasRoom = kept !== undefined || mode === "look" || this.#hasRoom(charge.owner, now)
      // The owner has no room: one of its counters has ended after this time.
      const waitMillis = hasRoom ? tried.waitMillis : charge.counting.windowMillis
      if (waitMillis > (exceeded?.waitMillis ?? 0)) exceeded = { index, waitMillis }
      return { charge, kept, next: tried.next }
    })
    if (exceeded !== undefined || mode === "look") return exceeded
    for (const { charge, kept, next } of attempts) this.#keep(charge, kept, next, now)
    return undefined
  }

  /**
   * Returns whether an owner may have one more counter. To drop one of its own would reset that counter, so the owner
   * has to wait instead, which affects no one else.
   */
  #hasRoom(owner: string, now: number): boolean {
    const owned = this.#owned.get(owner)
    if (owned === undefined || owned.size < this.#bounds.perOwner) return true
    for (const kept of owned) if (kept.until <= now) this.#drop(kept)
    return owned.size < this.#bounds.perOwner
  }

  #keep(
    { counting, key, limit, owner }: Charge,
    known: Kept | undefined,
    { count, until }: Counter,
    now: number
  ): void {
    // A window keeps its position, because its beginning does not change.
    if (known !== undefined && known.until > now && counting.algorithm === "fixed-window") {
      known.count = count
      return
    }
    if (known !== undefined) this.#drop(known)
    this.#dropEnded(this.#limits.get(limit), now)
    if (this.#size >= this.#bounds.counters) this.#makeRoom(now)
    const kept: Kept = { count, until, limit, key, owner }
    const counters = this.#limits.get(limit) ?? new Map<string, Kept>()
    this.#limits.set(limit, counters.set(key, kept))
    this.#owned.set(owner, (this.#owned.get(owner) ?? new Set<Kept>()).add(kept))
    this.#size++
  }

  #drop(kept: Kept): void {
    this.#limits.get(kept.limit)?.delete(kept.key)
    this.#size--
    const owned = this.#owned.get(kept.owner)
    owned?.delete(kept)
    if (owned?.size === 0) this.#owned.delete(kept.owner)
  }

  #dropEnded(counters: ReadonlyMap<string, Kept> | undefined, now: number): void {
    for (const kept of counters?.values() ?? []) {
      if (kept.until > now) return
      this.#drop(kept)
    }
  }

  /** Drops counters that have ended or, if there are none, the one that ends first. */
  #makeRoom(now: number): void {
    let first: Kept | undefined
    for (const counters of this.#limits.values()) {
      this.#dropEnded(counters, now)
      const [oldest] = counters.values()
      if (oldest !== undefined && (first === undefined || oldest.until < first.until)) first = oldest
    }
    if (this.#size >= this.#bounds.counters && first !== undefined) this.#drop(first)
  }
}

/**
 * Builds counters in the memory of this process.
 *
 * An owner that has `perOwner` counters gets no further one until one of them has ended. If all owners together have
 * `counters`, the one that ends first is dropped. To make the gateway forget a counter early, an attacker needs that
 * many others, of at least 64 owners.
 */
export const makeMemoryCounters = (bounds: MemoryBounds = memoryBounds): LimitCounters => {
  const memory = new Memory(bounds)
  return {
    charge: (charges, mode) => Effect.map(Clock.currentTimeMillis, (now) => memory.charge(charges, mode, now))
  }
}
