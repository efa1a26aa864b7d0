/**
 * An amount that owners share: bytes, connections, places. Pure.
 */

/** What one owner has of it. */
export interface Share {
  readonly owner: string
  held: number
  /** It was forgotten; whoever remembers it has to look again. */
  isGone: boolean
}

// Shares of which nothing is held are kept up to this many: making one for each request would cost more.
const kept = 4_096

/**
 * An amount of which each owner may hold as much as it leaves free.
 *
 * One alone gets half of it, two get a third each, and there is always something left for the next who comes. The work is
 * constant for each claim.
 */
export class Shares {
  readonly #total: number
  readonly #byOwner = new Map<string, Share>()
  #held = 0
  /** How many shares there may be before those are looked for that hold nothing. */
  #most = kept

  constructor(total: number) {
    this.#total = total
  }

  /** What all of them hold. */
  get held(): number {
    return this.#held
  }

  /** The share of an owner. */
  of(owner: string): Share {
    const known = this.#byOwner.get(owner)
    if (known !== undefined) return known
    if (this.#byOwner.size >= this.#most) this.#forgetUnheld()
    const share = { owner, held: 0, isGone: false }
    this.#byOwner.set(owner, share)
    return share
  }

  /** Says whether an owner may hold that much more; where nobody says whose it is, all that is left. */
  allows(share: Share | undefined, amount = 1): boolean {
    return (share?.held ?? 0) + amount <= this.#total - this.#held
  }

  /** Takes that much, if it is allowed. */
  claim(share: Share | undefined, amount = 1): boolean {
    if (!this.allows(share, amount)) return false
    if (share !== undefined) share.held += amount
    this.#held += amount
    return true
  }

  /** Gives that much back. */
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
    // Where many hold something, each new owner would have all of them looked through again.
    this.#most = Math.max(kept, 2 * this.#byOwner.size)
  }
}
