// So many closed connections more than one in five that served again mean that this server closes as a rule.
const closingAsARule = 3
const worthOfReuse = 0.2

// Connections that close in the same moment are one event: a server that is restarted closes them all.
const momentMillis = 20

// How long a server that closes as a rule is not tried again.
const memoryMillis = 5 * 60_000

/**
 * What is known of whether the MCP server keeps idle connections open, as it should for a while.
 *
 * Some close theirs right after an answer without saying so (`Connection: close`). A request that is sent at that moment is
 * lost, and may not be repeated in general: connections to such a server are used once.
 */
export class ReuseRecord {
  #score = 0
  #closedAt = Number.NEGATIVE_INFINITY
  #distrustedUntil = Number.NEGATIVE_INFINITY

  /**
   * Notes that the server closed a connection that was kept for the next request.
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

  /** Notes that a connection served another request. */
  reused(): void {
    this.#score = Math.max(0, this.#score - worthOfReuse)
  }

  /** Says whether connections are to be used again. */
  mayReuse(now: number): boolean {
    return now >= this.#distrustedUntil
  }
}
