// A server that has closed this many connections more than one in five that were reused closes connections as a rule.
const closingAsARule = 3
const worthOfReuse = 0.2

// Connections that close at the same moment are one event: a restarting server closes all of them.
const momentMillis = 20

// How long connections to a server that closes them as a rule are not reused.
const memoryMillis = 5 * 60_000

/**
 * Records whether the MCP server keeps idle connections open for a while, as it should.
 *
 * Some servers close theirs right after a response without notice (`Connection: close`). A request that is sent at that
 * moment is lost, and may not be repeated in general. Connections to such a server are used once.
 */
export class ReuseRecord {
  #score = 0
  #closedAt = Number.NEGATIVE_INFINITY
  #distrustedUntil = Number.NEGATIVE_INFINITY

  /**
   * Records that the server closed a connection that was kept for the next request.
   *
   * @param now milliseconds, by a clock that only goes forward
   */
  closed(now: number): void {
    if (now - this.#closedAt < momentMillis) return
    this.#closedAt = now
    this.#score++
    if (this.#score < closingAsARule) return
    this.#score = 0
    this.#distrustedUntil = now + memoryMillis
  }

  /** Records that a connection served another request. */
  reused(): void {
    this.#score = Math.max(0, this.#score - worthOfReuse)
  }

  mayReuse(now: number): boolean {
    return now >= this.#distrustedUntil
  }
}
