import { FairQueue, type Owner, type Waiting } from "./FairQueue.ts"
import { type Share, Shares } from "./Shares.ts"

/** How much of the MCP server may be taken at a time. */
export interface UpstreamLimits {
  /** Requests without an answer, be they sent or waiting for a connection. */
  readonly maxWaiting: number
  /** Connections of requests and of answers that come to an end. */
  readonly maxConnections: number
  /** Connections of answers that go on: event streams. */
  readonly maxStreams: number
}

/** One request's way to the MCP server and back. */
export interface Passage {
  /** There is an answer, or none will come: it waits no longer. */
  readonly settled: () => void
  /** The answer is an event stream; `false`: there are too many of them, all in all or of this owner. */
  readonly goesOn: () => boolean
  /** Its connection is free, or closed. */
  readonly ended: () => void
}

// A passage without an owner takes no share; it has its turns like one caller.
const nobody: Owner = { group: "", member: "" }

/**
 * Who may use a connection to the MCP server, and when.
 *
 * Each owner has a share of the places for waiting, of the connections and of the answers that go on: as much as it
 * leaves free. Those that find no free connection wait, and the owners take turns. Pure, but for `later`.
 */
export class UpstreamShares {
  readonly #waiting: Shares
  readonly #working: Shares
  readonly #goingOn: Shares
  readonly #queue: FairQueue<() => void>
  readonly #later: (step: () => void) => void
  #isContinuing = false

  /** @param later takes a step when what happens now is over */
  constructor({ maxConnections, maxStreams, maxWaiting }: UpstreamLimits, later: (step: () => void) => void) {
    this.#waiting = new Shares(maxWaiting)
    this.#working = new Shares(maxConnections)
    this.#goingOn = new Shares(maxStreams)
    this.#queue = new FairQueue(maxWaiting)
    this.#later = later
  }

  /** Requests without an answer. */
  get waiting(): number {
    return this.#waiting.held
  }

  /** Connections in use. */
  get connections(): number {
    return this.#working.held + this.#goingOn.held
  }

  /**
   * Takes a place for waiting; `undefined`: there is none.
   *
   * @param start called when there is a connection, at once or later; not, if the passage has settled before
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
      // A share of which nothing was held may have been forgotten meanwhile.
      working = group === undefined ? undefined : this.#working.of(group)
      start(passage)
    }
    if (this.#working.claim(working)) begin()
    else {
      const offered = this.#queue.offer(owner ?? nobody, begin)
      // As many may wait as the queue holds.
      if (offered._tag !== "Refused") place = offered.place
    }
    return passage
  }

  /** Gives the connections that are free to those whose turn it is. */
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
    return group === nobody.group ? undefined : this.#working.of(group)
  }
}
