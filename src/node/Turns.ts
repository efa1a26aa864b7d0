import { FairQueue, type Owner, type Waiting } from "../fairness/FairQueue.ts"

/** The place of a connection in the queue, for leaving it. */
export type Place = Waiting<() => void>

/** How much may begin in one turn of the event loop. */
export interface TurnLimits {
  readonly steps: number
  /** Milliseconds since the first step, after which no further one begins. */
  readonly millis: number
}

/**
 * Limits how many requests begin in one turn of the event loop, over all connections.
 *
 * Use it for steps that one client can trigger many times with one segment: steps over the limit wait for the next turn.
 * In each turn, peers go in rotation, and so do the connections of each peer. At least one step begins in each turn.
 */
export class Turns {
  readonly #limits: TurnLimits
  readonly #later: (step: () => void) => void
  readonly #now: () => number
  /**
   * The waiting connections, each at most once. Unlimited, because the number of open connections is limited elsewhere.
   */
  readonly #queue = new FairQueue<() => void>(Number.POSITIVE_INFINITY)
  #begun = 0
  /** When the first step of this turn began. */
  #since = 0
  #isScheduled = false

  /**
   * @param later runs a step in the next turn of the event loop: `setImmediate`
   * @param now milliseconds, by a clock that only goes forward
   */
  constructor(limits: TurnLimits, later: (step: () => void) => void, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#later = later
    this.#now = now
  }

  /** Returns whether a step may run now, and counts it if so. */
  begin(): boolean {
    if (!this.#mayBegin()) return false
    this.#begun++
    this.#schedule()
    return true
  }

  #mayBegin(): boolean {
    if (this.#begun === 0) this.#since = this.#now()
    return this.#begun === 0 || (this.#begun < this.#limits.steps && this.#now() - this.#since < this.#limits.millis)
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
      while (this.#mayBegin()) {
        const step = this.#queue.take()
        if (step === undefined) break
        this.#begun++
        step()
      }
      if (this.#begun > 0) this.#schedule()
    })
  }
}
