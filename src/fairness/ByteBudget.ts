import { FairQueue, type Owner, type Waiting } from "./FairQueue.ts"
import { Shares } from "./Shares.ts"

/** What one message holds of the budget. */
export interface ByteClaim {
  /**
   * Claims that much. Once for a message, and all that it will need: messages that hold some and wait for more could wait
   * for each other.
   *
   * @param granted called when it is there, at once or later; not after `release`
   */
  readonly take: (bytes: number, granted: () => void) => void
  /** Gives back what is more than that. */
  readonly keep: (bytes: number) => void
  /** Gives all back, and waits no longer. */
  readonly release: () => void
}

interface Waiter {
  readonly bytes: number
  readonly grant: () => void
}

/**
 * The memory for messages that wait to be sent on, shared by callers: each may hold as much as it leaves free.
 *
 * What cannot be had at once is waited for; callers take turns, and within a caller its connections. Pure.
 */
export class ByteBudget {
  readonly #shares: Shares
  // As many wait as there are connections, which are not read meanwhile.
  readonly #queue = new FairQueue<Waiter>(Number.POSITIVE_INFINITY)

  constructor(bytes: number) {
    this.#shares = new Shares(bytes)
  }

  /** What is claimed, in bytes. */
  get held(): number {
    return this.#shares.held
  }

  /** Messages that wait for memory. */
  get waiting(): number {
    return this.#queue.size
  }

  /** A claim of nothing yet. */
  open(owner: Owner): ByteClaim {
    // Looked up each time: one of which nothing is held may have been forgotten.
    const share = () => this.#shares.of(owner.group)
    let held = 0
    let place: Waiting<Waiter> | undefined

    const keep = (bytes: number): void => {
      const less = held - bytes
      if (less <= 0) return
      held = bytes
      this.#shares.release(share(), less)
      this.#continue()
    }
    return {
      take: (bytes, granted) => {
        const grant = () => {
          place = undefined
          held += bytes
          granted()
        }
        if (this.#shares.claim(share(), bytes)) return grant()
        const offered = this.#queue.offer(owner, { bytes, grant })
        if (offered._tag !== "Refused") place = offered.place
      },
      keep,
      release: () => {
        if (place !== undefined) this.#queue.remove(place)
        place = undefined
        keep(0)
      }
    }
  }

  /** Gives what is free to those whose turn it is. */
  #continue(): void {
    for (;;) {
      const next = this.#queue.take((group, { bytes }) => this.#shares.claim(this.#shares.of(group), bytes))
      if (next === undefined) return
      next.grant()
    }
  }
}
