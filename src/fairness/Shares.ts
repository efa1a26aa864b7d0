/** An amount that owners share, such as bytes, connections or places. Pure. */

/** The part that one owner holds. */
export interface Share {
  readonly owner: string
  held: number
  /** Whether it was dropped. If so, holders of a reference have to look it up again. */
  isGone: boolean
}

// Up to this many empty shares are kept, because creating one for each request would cost more.
const kept = 4_096

/**
 * An amount of which each owner may hold at most as much as remains free.
 *
 * A single owner gets half of it, two get a third each, and something always remains for the next. Each claim takes
 * constant time.
 */
export class Shares {
  readonly #total: number
  readonly #byOwner = new Map<string, Share>()
  #held = 0
  /** How many shares there may be before empty ones are dropped. */
  #most = kept

  constructor(total: number) {
    this.#total = total
  }

  get held(): number {
    return this.#held
  }

  of(owner: string): Share {
    const known = this.#byOwner.get(owner)
    if (known !== undefined) return known
    if (this.#byOwner.size >= this.#most) this.#forgetUnheld()
    const share = { owner, held: 0, isGone: false }
    this.#byOwner.set(owner, share)
    return share
  }

  /** Returns whether an owner may hold this much more. Without an owner, everything that remains may be used. */
  allows(share: Share | undefined, amount = 1): boolean {
    return (share?.held ?? 0) + amount <= this.#total - this.#held
  }

  /** Takes this much, if allowed. */
  claim(share: Share | undefined, amount = 1): boolean {
    if (!this.allows(share, amount)) return false
    if (share !== undefined) share.held += amount
    this.#held += amount
    return true
  }

  release(share: Share | undefined, amount = 1): void {
    if (share !== undefined) share.held -= amount
    this.#held -= amount
  }

  #forgetUnheld(): void {
    for (const [owner, share] of this.#byOwner) {
      if (share.held > 0) continue
      share.isGone = true
      this.#byOwner.delete(owner)
    }
    // If many shares are in use, each new owner would otherwise cause a scan of all of them.
    this.#most = Math.max(kept, 2 * this.#byOwner.size)
  }
}
