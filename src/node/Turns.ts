import { FairQueue, type Owner, type Waiting } from "../fairness/FairQueue.ts"

/** A connection that waits for its turn; the place is for giving it up. */
export type Place = Waiting<() => void>

/**
 * How many requests begin in one turn of the event loop, all connections taken together.
 *
 * Use it for the steps that one client can have done many times with one segment: what is beyond the number waits for
 * the next turn, in which peers go round, and within a peer its connections. Each step is constant work.
 */
export class Turns {
  readonly #inTurn: number
  readonly #later: (step: () => void) => void
  /** Connections, each at most once: as many as are open. */
  readonly #queue = new FairQueue<() => void>(Number.POSITIVE_INFINITY)
  #begun = 0
  #isScheduled = false

  /**
   * @param inTurn steps in one turn
   * @param later takes a step in the next turn of the event loop: `setImmediate`
   */
  constructor(inTurn: number, later: (step: () => void) => void) {
    this.#inTurn = inTurn
    this.#later = later
  }

  /** Whether a step may be taken now; counts it, if so. */
  begin(): boolean {
    if (this.#begun >= this.#inTurn) return false
    this.#begun++
    this.#schedule()
    return true
  }

  /** Waits for a turn, which is the right to one step. */
  wait(owner: Owner, step: () => void): Place | undefined {
    this.#schedule()
    const offered = this.#queue.offer(owner, step)
    // A queue without an end takes everything.
    return offered._tag === "Rejected" ? undefined : offered.place
  }

  /** Waits no longer. */
  leave(place: Place): void {
    this.#queue.remove(place)
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#later(() => {
      this.#isScheduled = false
      this.#begun = 0
      while (this.#begun < this.#inTurn) {
        const step = this.#queue.take()
        if (step === undefined) return
        this.#begun++
        step()
      }
      this.#schedule()
    })
  }
}
