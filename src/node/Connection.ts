import type { ServerResponse } from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"

// What a refused client may still send, while it reads the refusal, before its connection is cut.
const closeGraceMillis = 1_000
const closeGraceChunks = 64

/** A client's connection: what it was asked, and what it has not been told yet. */
export class Connection {
  readonly #socket: Duplex
  #latest: ServerResponse | undefined
  /** In the order in which they were asked for. */
  #unanswered: ReadonlyArray<ServerResponse> = []
  /** What is to be said once everything is answered. */
  #afterwards: string | undefined
  /** How many more chunks are overlooked, once the connection has been ended from here. */
  #overlooked: number | undefined

  constructor(socket: Duplex) {
    this.#socket = socket
  }

  get isAnswered(): boolean {
    return this.#unanswered.length === 0
  }

  /** Notes a request. */
  begin(response: ServerResponse): void {
    this.#latest = response
    this.#unanswered = [...this.#unanswered, response]
  }

  /** Notes that its answer is over. */
  end(response: ServerResponse): void {
    this.#unanswered = this.#unanswered.filter((other) => other !== response)
    if (this.isAnswered && this.#afterwards !== undefined) this.#hangUp(this.#afterwards)
  }

  /** Makes the answers that are open the last ones: those whose head is still to come say so. */
  makeLast(): void {
    for (const response of this.#unanswered) response.shouldKeepAlive = false
  }

  /** The connection is gone. */
  close(): void {
    // Node tells only the answer whose turn it is; those that wait behind it would wait for ever.
    for (const response of this.#unanswered) {
      if (response.socket === null) response.emit("close")
    }
  }

  /**
   * Refuses the bytes that the client has just sent, and ends the connection.
   *
   * The refusal is written only where it will be read as the answer to those bytes: not as one to an earlier request,
   * not as a second one to the same request, not in the middle of a body.
   */
  refuse(text: string): void {
    const latest = this.#latest
    const unanswered = this.#unanswered.length
    if (this.#overlooked !== undefined && this.#overlooked > 0) this.#overlooked--
    else if (!this.#socket.writable) this.#socket.destroy()
    else if (latest === undefined) this.#hangUp(text)
    else if (latest.req.complete) {
      // Another request was about to begin.
      if (unanswered === 0) this.#hangUp(text)
      else this.#afterwards = text
    } else if (unanswered <= 1 && latest.writableEnded) this.#hangUp("")
    else if (unanswered === 1 && !latest.headersSent) this.#hangUp(text)
    else this.#socket.destroy()
  }

  /** Ends the connection, with last words or without; a client that does not let go is cut off. */
  #hangUp(text: string): void {
    const socket = this.#socket
    if (!socket.writable) return
    // Cutting it at once would reset it, and the client could lose the words.
    this.#overlooked = closeGraceChunks
    socket.end(text)
    if (socket instanceof Socket) socket.setTimeout(closeGraceMillis, () => socket.destroy())
  }
}
