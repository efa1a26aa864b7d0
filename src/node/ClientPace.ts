import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { OpenSet } from "./OpenSet.ts"

/** How slow a client may be. */
export interface PaceLimits {
  /** Bytes per second, averaged over a window; 0 if there is no minimum. */
  readonly minRate: () => number
  /** For how many milliseconds a client may be slower. */
  readonly windowMillis: number
  /** The window for reading responses without a length, such as event streams. */
  readonly streamWindowMillis: number
}

/** The progress in one direction, since it became the client's turn. */
interface Progress {
  /** When it became the client's turn; 0 if it is not. */
  since: number
  moved: number
}

interface Watched {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly socket: Socket
  readonly reading: Progress
  readonly writing: Progress
  /** What the connection had received and sent at the last check. */
  received: number
  taken: number
  queued: number
}

/** Bytes that Node has passed to the system, and that the system has not accepted yet. */
const queued = (socket: Socket): number => {
  // Node's own socket timeout reads this member, which is not public.
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly writeQueueSize?: number } | null }
  return handle?.writeQueueSize ?? 0
}

/**
 * Finds clients that read their responses, or send their bodies, too slowly.
 *
 * Each of them occupies a connection, memory, and often a connection to the MCP server. Time counts only while it is
 * the client's turn: while there is data that it does not read, or while its body is expected.
 */
export class ClientPace {
  readonly #limits: PaceLimits
  readonly #watched = new OpenSet<Watched>()

  constructor(limits: PaceLimits) {
    this.#limits = limits
  }

  watch(request: IncomingMessage, response: ServerResponse): void {
    if (this.#limits.minRate() === 0) return
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
   * Checks all watched requests. Call it about once a second.
   *
   * @param now milliseconds, by a monotonic clock
   * @param tooSlow called with the connection of a client that is too slow, and whether it is slow in reading or in
   * writing
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

  /** Returns the bytes since the last check: whole writes, and the progress of the write in flight. */
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
    const slow = progress.moved < this.#limits.minRate() * elapsed / 1000
    progress.since = now
    progress.moved = 0
    return slow
  }
}
