import type { Socket } from "node:net"
import { InterimAnswers } from "./InterimAnswers.ts"

/** How a connection stood when it was lost. */
export interface Loss {
  /** It had served another request before. */
  readonly reused: boolean
  /** Some of an answer had come, if only of its head. */
  readonly answered: boolean
  /** How long it had been idle before this request, in milliseconds. */
  readonly idleMillis: number
  /** How long ago the request was sent, in milliseconds. */
  readonly sentMillis: number
}

/** One connection to the MCP server, watched: `undici` does not tell which of them a request went over, nor how it fared. */
export class UpstreamConnection {
  readonly #interim = new InterimAnswers()
  #requests = 0
  #inUse = false
  #answered = false
  #idleSince = performance.now()
  #sentAt = 0

  /**
   * Takes a connection over before it is used.
   *
   * @param onIdleClosed called when the server closes it while it is kept for the next request
   */
  constructor(socket: Socket, onIdleClosed: () => void) {
    const read = socket.read.bind(socket)
    socket.read = (size?: number): unknown => {
      const chunk: unknown = read(size)
      if (chunk instanceof Uint8Array) this.#received(chunk)
      return chunk
    }
    const closed = () => {
      if (this.#requests > 0 && !this.#inUse) onIdleClosed()
    }
    socket.on("end", closed)
    // A reset; what is closed from here ends without an error, or with one of undici's.
    socket.on("error", (error: Error & { readonly syscall?: string }) => {
      if (error.syscall !== undefined) closed()
    })
  }

  get isReused(): boolean {
    return this.#requests > 1
  }

  /** A request is about to be written. */
  begin(): void {
    this.#requests++
    this.#inUse = true
    this.#answered = false
    this.#sentAt = performance.now()
    this.#interim.expect()
  }

  /** Its answer is complete. */
  end(): void {
    this.#inUse = false
    this.#idleSince = performance.now()
  }

  /** How it stands, if it is lost now. */
  loss(): Loss {
    return {
      reused: this.isReused,
      answered: this.#answered,
      idleMillis: this.#sentAt - this.#idleSince,
      sentMillis: performance.now() - this.#sentAt
    }
  }

  #received(chunk: Uint8Array): void {
    this.#answered = true
    this.#interim.pass(chunk)
  }
}
