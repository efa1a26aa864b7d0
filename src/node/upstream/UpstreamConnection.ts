import type { Socket } from "node:net"
import { InterimResponses } from "./InterimResponses.ts"

/** The state of a connection when it was lost. */
export interface Loss {
  /** The connection had served another request before. */
  readonly reused: boolean
  /** A part of a response had arrived, even if only of its head. */
  readonly responseBegan: boolean
  /** How long the connection had been idle before this request, in milliseconds. */
  readonly idleMillis: number
  /** How long ago the request was sent, in milliseconds. */
  readonly sentMillis: number
}

/** Tracks one connection to the MCP server: `undici` does not report which connection a request used, or how it ended. */
export class UpstreamConnection {
  readonly #interim = new InterimResponses()
  #requests = 0
  #inUse = false
  #responseBegan = false
  #idleSince = performance.now()
  #sentAt = 0

  /**
   * Attaches to a connection before it is used.
   *
   * @param onIdleClosed called when the server closes the connection while it is kept for the next request
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
    // A reset. A connection that is closed from here ends without an error, or with one of undici's.
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
    this.#responseBegan = false
    this.#sentAt = performance.now()
    this.#interim.expect()
  }

  end(): void {
    this.#inUse = false
    this.#idleSince = performance.now()
  }

  /** Returns the current state, for a connection that is lost now. */
  loss(): Loss {
    return {
      reused: this.isReused,
      responseBegan: this.#responseBegan,
      idleMillis: this.#sentAt - this.#idleSince,
      sentMillis: performance.now() - this.#sentAt
    }
  }

  #received(chunk: Uint8Array): void {
    this.#responseBegan = true
    this.#interim.pass(chunk)
  }
}
