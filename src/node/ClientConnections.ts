/** A connection that may be closed so that another one finds a place. */
export interface Closable {
  /** Whether every request that has arrived on it has its response. */
  readonly isIdle: boolean
  readonly destroy: () => void
}

// How many connections of a peer are searched for an idle one, so that the search does not delay other requests.
const lookedAt = 256

/**
 * The open connections of clients, of which one peer cannot take so many that others find no place.
 *
 * When the limit is reached, a new connection closes one of the peer that has the most: its oldest idle one, otherwise its
 * oldest one. If the peer of the new connection has the most itself, its oldest idle one is closed; without an idle one
 * the new connection is rejected.
 */
export class ClientConnections<A extends Closable> {
  readonly #max: () => number
  /** The connections of each peer, the oldest first; never empty. */
  readonly #byPeer = new Map<string, Set<A>>()
  #size = 0
  #displaced = 0

  /** @param max how many may be open now */
  constructor(max: () => number) {
    this.#max = max
  }

  get size(): number {
    return this.#size
  }

  /** How many were closed or rejected so far because the limit was reached. */
  get displaced(): number {
    return this.#displaced
  }

  /** Adds a connection, and closes another one if the limit is reached. Returns false if this one must be closed. */
  add(peer: string, connection: A): boolean {
    if (this.#size >= this.#max()) {
      this.#displaced++
      const displaced = this.#displacedBy(peer)
      if (displaced === undefined) return false
      this.remove(...displaced)
      displaced[1].destroy()
    }
    const own = this.#byPeer.get(peer)
    if (own === undefined) this.#byPeer.set(peer, new Set([connection]))
    else own.add(connection)
    this.#size++
    return true
  }

  /** Removes a connection that has closed; does nothing if it was removed before. */
  remove(peer: string, connection: A): void {
    const own = this.#byPeer.get(peer)
    if (own === undefined || !own.delete(connection)) return
    this.#size--
    if (own.size === 0) this.#byPeer.delete(peer)
  }

  #displacedBy(peer: string): readonly [peer: string, connection: A] | undefined {
    let [name, connections] = [peer, this.#byPeer.get(peer) ?? new Set<A>()]
    for (const entry of this.#byPeer) {
      if (entry[1].size > connections.size) [name, connections] = entry
    }
    const [oldest] = connections
    let left = lookedAt
    for (const connection of connections) {
      if (connection.isIdle) return [name, connection]
      if (--left === 0) break
    }
    return oldest === undefined || name === peer ? undefined : [name, oldest]
  }
}
