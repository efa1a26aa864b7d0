import { FairQueue, type Owner, type Waiting } from "./FairQueue.ts"
import { Shares } from "./Shares.ts"

/** The part of the budget that one message holds. */
export interface ByteClaim {
  /**
   * Claims memory. Call it once for a message, with all that it will need: messages that hold some memory and wait for more
   * could wait for each other.
   *
   * @param granted called when the memory is available, at once or later; not after `release`
   * @param rejected called instead, at once, where too many messages wait, in total or of this caller
   */
  readonly take: (bytes: number, granted: () => void, rejected: () => void) => void
  /** Releases all but that many bytes. */
  readonly keep: (bytes: number) => void
  /** Releases everything and stops waiting. */
  readonly release: () => void
}

/** The memory that a waiting message holds anyway: the segment that contains its head. */
const segmentBytes = 64 * 1024

/** How many messages may wait, however small the budget is. */
const leastPlaces = 64

interface Waiter {
  readonly bytes: number
  readonly grant: () => void
}

/**
 * The memory for messages that are not forwarded yet, shared by callers: each may hold as much as it leaves free.
 *
 * A message waits for memory that is not available at once; callers take turns, and within a caller its connections. The
 * waiting messages may hold half of the budget in total, and at least 64 may wait; a caller may have as many of these
 * places as it leaves free. Pure.
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

  /** The claimed memory, in bytes. */
  get held(): number {
    return this.#shares.held
  }

  /** Messages that wait for memory. */
  get waiting(): number {
    return this.#queue.size
  }

  open(owner: Owner): ByteClaim {
    // Looked up each time, because an empty share may have been dropped.
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
      take: (bytes, granted, rejected) => {
        const grant = () => {
          leave()
          held += bytes
          granted()
        }
        if (this.#shares.claim(share(), bytes)) return grant()
        if (!this.#places.claim(this.#places.of(owner.group))) return rejected()
        const offered = this.#queue.offer(owner, { bytes, grant })
        // There are as many places as the queue holds.
        if (offered._tag !== "Rejected") place = offered.place
      },
      keep,
      release: () => {
        leave()
        keep(0)
      }
    }
  }

  /** Grants the free memory to the messages whose turn it is. */
  #continue(): void {
    for (;;) {
      const next = this.#queue.take((group, { bytes }) => this.#shares.claim(this.#shares.of(group), bytes))
      if (next === undefined) return
      next.grant()
    }
  }
}
