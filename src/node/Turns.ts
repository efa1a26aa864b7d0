import { FairQueue, type Owner, type Waiting } from "../fairness/FairQueue.ts"

/** The place of a connection in the queue, for leaving it. */
export type Place = Waiting<() => void>

/**
 * Limits how many requests begin in one turn of the event loop, over all connections.
 *
 * Use it for steps that one client can trigger many times with one segment: steps over the limit wait for the next turn.
 * In each turn, peers go in rotation, and so do the connections of each peer. Each step is constant work.
 */
export class Turns {
  readonly #inTurn: number
  readonly #later: (step: () => void) => void
  /**
   * The waiting connections, each at most once. Unlimited, because the number of open connections is limited elsewhere.
   */
  readonly #queue = new FairQueue<() => void>(Number.POSITIVE_INFINITY)
  #begun = 0
  #isScheduled = false

  /**
   * @param inTurn steps in one turn
   * @param later runs a step in the next turn of the event loop: `setImmediate`
   */
  constructor(inTurn: number, later: (step: () => void) => void) {
    this.#inTurn = inTurn
    this.#later = later
  }

  /** Returns whether a step may run now, and counts it if so. */
  begin(): boolean {
    if (this.#begun >= this.#inTurn) return false
    this.#begun++
    this.#schedule()
    return true
  }

  /** Waits for a turn, which permits one step. */
  wait(owner: Owner, step: () => void): Place | undefined {
    this.#schedule()
    const offered = this.#queue.offer(owner, step)
    // An unlimited queue never rejects.
    return offered._tag === "Rejected" ? undefined : offered.place
  }

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
