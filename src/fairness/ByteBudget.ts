import { FairQueue, type Owner, type Waiting } from "./FairQueue.ts"
import { Shares } from "./Shares.ts"

export interface ByteClaim {
  /**
   * Claims memory. Call it only once for a message, with the maximum that it will need: messages that wait for more
   * memory while they hold some could block each other forever.
   *
   * @param granted called when the memory is available, at once or later; not after `release`
   * @param rejected called instead, at once, if too many messages wait, in total or for this owner
   */
  readonly take: (bytes: number, granted: () => void, rejected: () => void) => void
  /** Releases all but that many bytes. */
  readonly keep: (bytes: number) => void
  /** Releases everything and stops waiting. */
  readonly release: () => void
}

/** The memory of a waiting message: the segment with its head. */
const segmentBytes = 64 * 1024

/** How many messages may wait, even if the budget is small. */
const leastPlaces = 64

interface Waiter {
  readonly bytes: number
  readonly grant: () => void
}

/**
 * The memory for messages that are not forwarded yet, shared by owners. Each owner may hold at most as much as remains
 * free.
 *
 * A message waits if memory is not available at once. Owners take turns, and so do the connections of each owner.
 * Waiting messages may use half of the budget in total, but at least 64 may wait; each owner may use at most as many of
 * these places as remain free. Pure.
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

  get waiting(): number {
    return this.#queue.size
  }

  open(owner: Owner): ByteClaim {
    // Looked up each time, because an empty share may have been dropped in between.
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
        // Never rejected: the queue has room for as many messages as there are places.
        if (offered._tag !== "Rejected") place = offered.place
      },
      keep,
      release: () => {
        leave()
        keep(0)
      }
    }
  }

  /** Grants free memory to the messages whose turn it is. */
  #continue(): void {
    for (;;) {
      const next = this.#queue.take((group, { bytes }) => this.#shares.claim(this.#shares.of(group), bytes))
      if (next === undefined) return
      next.grant()
    }
  }
}
