import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { OpenSet } from "./OpenSet.ts"

/** How slow a client may be. */
export interface PaceLimits {
  /** Bytes in a second, on average over a window; 0: any. */
  readonly minRate: number
  /** How long a client may be slower, in milliseconds. */
  readonly windowMillis: number
  /** The same for reading answers without a length, event streams above all. */
  readonly streamWindowMillis: number
}

/** What has moved one way since it had to. */
interface Progress {
  /** 0: it is not the client's turn. */
  since: number
  moved: number
}

interface Watched {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly socket: Socket
  readonly reading: Progress
  readonly writing: Progress
  /** What the connection had brought and taken at the last look. */
  received: number
  taken: number
  queued: number
}

/** Bytes that Node has handed to the system, and that it has not taken yet. */
const queued = (socket: Socket): number => {
  // Where Node's own timeout of sockets looks for it, too; it has no public name.
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly writeQueueSize?: number } | null }
  return handle?.writeQueueSize ?? 0
}

/**
 * Finds clients that take their answers, or send their bodies, more slowly than anybody has to.
 *
 * Each holds a connection, memory, and often a connection to the MCP server. Only the time counts in which it is the
 * client's turn: in which there is something to read that it does not take, or in which its body is waited for.
 */
export class ClientPace {
  readonly #limits: PaceLimits
  readonly #watched = new OpenSet<Watched>()

  constructor(limits: PaceLimits) {
    this.#limits = limits
  }

  /** Watches a request until its answer is over. */
  watch(request: IncomingMessage, response: ServerResponse): void {
    if (this.#limits.minRate === 0) return
    const { socket } = request
    const place = this.#watched.add({
      request,
      response,
      socket,
      reading: { since: 0, moved: 0 },
      writing: { since: 0, moved: 0 },
      received: 0,
      taken: 0,
      queued: 0
    })
    response.once("close", () => this.#watched.remove(place))
  }

  /**
   * Looks at all of them; call it about once a second.
   *
   * @param now milliseconds, by a clock that only goes forward
   * @param tooSlow what to do with the connection of one that is too slow, and what it is too slow in
   */
  look(now: number, tooSlow: (socket: Socket, action: "Reading" | "Writing") => void): void {
    const { streamWindowMillis, windowMillis } = this.#limits
    for (const watched of this.#watched.now()) {
      const { reading, request, response, socket, writing } = watched
      const { received, taken } = this.#moved(watched)
      const unread = response.socket !== null && socket.writableLength > 0
      const readingWindow = response.chunkedEncoding ? streamWindowMillis : windowMillis
      if (this.#isSlow(reading, unread, taken, readingWindow, now)) tooSlow(socket, "Reading")
      const awaited = !request.complete && request.readableFlowing === true && !socket.isPaused()
      if (this.#isSlow(writing, awaited, received, windowMillis, now)) tooSlow(socket, "Writing")
    }
  }

  /** What has moved since the last look: whole writes, and what has left of the one that is in flight. */
  #moved(watched: Watched): { readonly received: number; readonly taken: number } {
    const { socket } = watched
    const taken = socket.bytesWritten - socket.writableLength
    const inFlight = queued(socket)
    const moved = {
      received: socket.bytesRead - watched.received,
      taken: taken > watched.taken ? taken - watched.taken : Math.max(0, watched.queued - inFlight)
    }
    watched.received = socket.bytesRead
    watched.taken = taken
    watched.queued = inFlight
    return moved
  }

  #isSlow(progress: Progress, itsTurn: boolean, moved: number, windowMillis: number, now: number): boolean {
    if (!itsTurn || progress.since === 0) {
      progress.since = itsTurn ? now : 0
      progress.moved = 0
      return false
    }
    progress.moved += moved
    const elapsed = now - progress.since
    if (elapsed < windowMillis) return false
    const slow = progress.moved < this.#limits.minRate * elapsed / 1000
    progress.since = now
    progress.moved = 0
    return slow
  }
}
