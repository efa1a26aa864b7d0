import { FairQueue, type Owner, type Waiting } from "./FairQueue.ts"
import { Shares } from "./Shares.ts"

/** What one message holds of the budget. */
export interface ByteClaim {
  /**
   * Claims that much. Once for a message, and all that it will need: messages that hold some and wait for more could wait
   * for each other.
   *
   * @param granted called when it is there, at once or later; not after `release`
   * @param refused called instead, at once, where too many messages wait, in all or of this caller
   */
  readonly take: (bytes: number, granted: () => void, refused: () => void) => void
  /** Gives back what is more than that. */
  readonly keep: (bytes: number) => void
  /** Gives all back, and waits no longer. */
  readonly release: () => void
}

/** What a message that waits may hold all the same: the segment in which its head came. */
const segmentBytes = 64 * 1024

/** So many may wait, however small the budget is. */
const leastPlaces = 64

interface Waiter {
  readonly bytes: number
  readonly grant: () => void
}

/**
 * The memory for messages that wait to be sent on, shared by callers: each may hold as much as it leaves free.
 *
 * What cannot be had at once is waited for; callers take turns, and within a caller its connections. As many messages may
 * wait as hold half as much as the budget, and 64 in any case; of these places, too, a caller may have as many as it
 * leaves free. Pure.
 */
export class ByteBudget {
  readonly #shares: Shares
  readonly #places: Shares
  readonly #queue: FairQueue<Waiter>

  constructor(bytes: number) {
    const places = Math.max(leastPlaces, Math.floor(bytes / 2 / segmentBytes))
    this.#shares = new Shares(bytes)
    this.#places = new Shares(places)
    this.#queue = new FairQueue(places)
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

    const leave = (): void => {
      if (place === undefined) return
      this.#queue.remove(place)
      this.#places.release(this.#places.of(owner.group))
      place = undefined
    }

    const keep = (bytes: number): void => {
      const less = held - bytes
      if (less <= 0) return
      held = bytes
      this.#shares.release(share(), less)
      this.#continue()
    }
    return {
      take: (bytes, granted, refused) => {
        const grant = () => {
          leave()
          held += bytes
          granted()
        }
        if (this.#shares.claim(share(), bytes)) return grant()
        if (!this.#places.claim(this.#places.of(owner.group))) return refused()
        const offered = this.#queue.offer(owner, { bytes, grant })
        // As many have a place as the queue holds.
        if (offered._tag !== "Refused") place = offered.place
      },
      keep,
      release: () => {
        leave()
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
