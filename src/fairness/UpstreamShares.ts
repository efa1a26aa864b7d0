import { FairQueue, type Owner, type Waiting } from "./FairQueue.ts"
import { type Share, Shares } from "./Shares.ts"

/** The limits on concurrent use of the MCP server. */
export interface UpstreamLimits {
  /** Requests without a response, whether already sent or waiting for a connection. */
  readonly maxWaiting: number
  /** Connections of requests and of finite responses. */
  readonly maxConnections: number
  readonly maxStreams: number
}

/** The use of the MCP server by one request. */
export interface Passage {
  /** Call this when the response has begun or failed: the request no longer waits. */
  readonly settled: () => void
  /** Call this if the response is an event stream. Returns `false` if too many are open, in total or for this owner. */
  readonly goesOn: () => boolean
  /** Call this when the connection is free or closed. */
  readonly ended: () => void
}

// A passage without an owner uses no share. All such passages take turns as if they had one owner.
const noOwner: Owner = { group: "", member: "" }

/**
 * Decides which request may use a connection to the MCP server, and when.
 *
 * Each owner has a share of the places for waiting, of the connections and of the event streams: at most as much as
 * remains free. Requests without a free connection wait, and owners take turns. Pure, except for `later`.
 */
export class UpstreamShares {
  readonly #waiting: Shares
  readonly #working: Shares
  readonly #goingOn: Shares
  readonly #queue: FairQueue<() => void>
  readonly #later: (step: () => void) => void
  #isContinuing = false

  /** @param later runs a step after the current one */
  constructor({ maxConnections, maxStreams, maxWaiting }: UpstreamLimits, later: (step: () => void) => void) {
    this.#waiting = new Shares(maxWaiting)
    this.#working = new Shares(maxConnections)
    this.#goingOn = new Shares(maxStreams)
    this.#queue = new FairQueue(maxWaiting)
    this.#later = later
  }

  /** Requests without a response. */
  get waiting(): number {
    return this.#waiting.held
  }

  get connections(): number {
    return this.#working.held + this.#goingOn.held
  }

  /**
   * Takes a place for waiting; `undefined` if there is none left.
   *
   * @param start called when there is a connection, at once or later, unless the passage has settled before
   */
  enter(owner: Owner | undefined, start: (passage: Passage) => void): Passage | undefined {
    const group = owner?.group
    const waiting = group === undefined ? undefined : this.#waiting.of(group)
    if (!this.#waiting.claim(waiting)) return undefined
    let working = group === undefined ? undefined : this.#working.of(group)
    let held: Shares | undefined
    let goingOn: Share | undefined
    let place: Waiting<() => void> | undefined
    let isWaiting = true

    const passage: Passage = {
      settled: () => {
        if (!isWaiting) return
        isWaiting = false
        this.#waiting.release(waiting)
        if (place !== undefined) this.#queue.remove(place)
      },
      goesOn: () => {
        goingOn = group === undefined ? undefined : this.#goingOn.of(group)
        if (held !== this.#working || !this.#goingOn.claim(goingOn)) return false
        this.#working.release(working)
        held = this.#goingOn
        this.#continueLater()
        return true
      },
      ended: () => {
        if (held === undefined) return
        held.release(held === this.#working ? working : goingOn)
        held = undefined
        this.#continueLater()
      }
    }
    const begin = () => {
      place = undefined
      held = this.#working
      // Looked up again, because an empty share may have been dropped in between.
      working = group === undefined ? undefined : this.#working.of(group)
      start(passage)
    }
    if (this.#working.claim(working)) begin()
    else {
      const offered = this.#queue.offer(owner ?? noOwner, begin)
      // Never rejected: the queue has room for as many requests as there are places.
      if (offered._tag !== "Rejected") place = offered.place
    }
    return passage
  }

  /** Assigns the free connections to the requests whose turn it is. */
  #continueLater(): void {
    if (this.#isContinuing || this.#queue.size === 0) return
    this.#isContinuing = true
    this.#later(() => {
      this.#isContinuing = false
      for (;;) {
        const begin = this.#queue.take((group) => this.#working.claim(this.#shareOf(group)))
        if (begin === undefined) return
        begin()
      }
    })
  }

  #shareOf(group: string): Share | undefined {
    return group === noOwner.group ? undefined : this.#working.of(group)
  }
}
