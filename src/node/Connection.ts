import type { ServerResponse } from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { Owner } from "../fairness/FairQueue.ts"
import type { Shares } from "../fairness/Shares.ts"
import { OpenSet } from "./OpenSet.ts"
import type { Place, Turns } from "./Turns.ts"

// How long a rejected client may still send while it reads the rejection, before its connection is closed.
const closeGraceMillis = 1_000
const closeGraceChunks = 64

// How many requests of one connection run at a time. Nothing more is read until one of them has its response.
const openRequests = 64

/** A request that has arrived and waits until others of its connection have their responses. */
interface HeldRequest {
  readonly response: ServerResponse
  readonly begin: () => void
}

export interface ConnectionMeans {
  readonly turns: Turns
  /** Pipelined requests that wait in memory. */
  readonly ahead: Shares
}

/**
 * A client's connection: its requests, and the responses that it still needs.
 *
 * At most 64 requests run at a time, and a few begin in each turn of the event loop. While there are more, the
 * connection is not read: the requests of its last segment wait here, and the rest waits at the client. A client whose
 * segments contain more requests than its share of the waiting ones loses its connection.
 */
export class Connection {
  readonly #socket: Duplex
  readonly #means: ConnectionMeans
  readonly #owner: Owner
  #latest: ServerResponse | undefined
  readonly #open = new OpenSet<ServerResponse>()
  /** In the order of arrival, from `#next` on. */
  #held: Array<HeldRequest | undefined> = []
  #next = 0
  /** How many of the held requests are pipelined, and the share that they count towards. */
  #ahead = 0
  #isHeld = false
  #place: Place | undefined
  /** The text to send after all responses. */
  #afterwards: string | undefined
  /** How many more chunks are ignored after this side has ended the connection. */
  #ignoredChunks: number | undefined

  readonly #onIdle: () => void

  /** @param onIdle called whenever every request that has arrived has its response */
  constructor(socket: Duplex, means: ConnectionMeans, owner: Owner, onIdle: () => void) {
    this.#socket = socket
    this.#means = means
    this.#owner = owner
    this.#onIdle = onIdle
  }

  get isIdle(): boolean {
    return this.#pending === 0
  }

  get #heldCount(): number {
    return this.#held.length - this.#next
  }

  get #pending(): number {
    return this.#open.size + this.#heldCount
  }

  /**
   * Takes a request: it begins at once, or on its turn once others of the same connection have their responses.
   *
   * @param begin called once, or never if the connection closes first
   */
  arrive(response: ServerResponse, begin: () => void): void {
    const { ahead, turns } = this.#means
    this.#latest = response
    if (this.#heldCount === 0 && this.#open.size < openRequests && turns.begin()) {
      return this.#begin({ response, begin })
    }
    if (this.#socket.destroyed) return
    // Most clients send the next request only after the response, so their connections are idle here.
    if (!this.isIdle) {
      if (!ahead.claim(ahead.of(this.#owner.group))) return void this.#socket.destroy()
      this.#ahead++
      this.#hold()
    }
    this.#held.push({ response, begin })
    this.#awaitTurn()
  }

  #begin({ begin, response }: HeldRequest): void {
    const place = this.#open.add(response)
    response.once("close", () => {
      this.#open.remove(place)
      this.#awaitTurn()
      if (!this.isIdle) return
      if (this.#afterwards !== undefined) this.#hangUp(this.#afterwards)
      this.#onIdle()
    })
    begin()
  }

  /** Stops reading from the connection. */
  #hold(): void {
    if (this.#isHeld) return
    this.#isHeld = true
    const socket = this.#socket
    socket.pause()
    // Node's messages would resume their connection when they are read, and when they end.
    socket.resume = () => socket
  }

  #release(): void {
    this.#isHeld = false
    Reflect.deleteProperty(this.#socket, "resume")
    this.#socket.resume()
  }

  /** Waits for the turn of the first held request. */
  #awaitTurn(): void {
    if (this.#place !== undefined || this.#heldCount === 0 || this.#open.size >= openRequests) return
    this.#place = this.#means.turns.wait(this.#owner, () => {
      this.#place = undefined
      const held = this.#held[this.#next]
      // Not to keep it alive until the last one has begun.
      this.#held[this.#next++] = undefined
      if (this.#heldCount === 0) this.#forgetHeld()
      else if (this.#ahead > this.#heldCount) this.#giveBack(1)
      if (held !== undefined) this.#begin(held)
      this.#awaitTurn()
      if (this.#isHeld && this.#heldCount === 0) this.#release()
    })
  }

  #forgetHeld(): void {
    this.#held = []
    this.#next = 0
    this.#giveBack(this.#ahead)
  }

  #giveBack(count: number): void {
    const { ahead } = this.#means
    this.#ahead -= count
    if (count > 0) ahead.release(ahead.of(this.#owner.group), count)
  }

  /** Makes the open responses the last ones of the connection. Unsent heads announce it. */
  makeLast(): void {
    for (const response of this.#open.now()) response.shouldKeepAlive = false
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#socket.destroy()
  }

  /** Call this when the connection has closed. */
  close(): void {
    // Node reports the close only to the response whose turn it is; those behind it would wait forever.
    this.#forgetHeld()
    if (this.#place !== undefined) this.#means.turns.leave(this.#place)
    this.#place = undefined
    for (const response of this.#open.now()) {
      if (response.socket === null) response.emit("close")
    }
  }

  /**
   * Rejects the bytes that the client has just sent, and ends the connection.
   *
   * The rejection is written only if the client will read it as the response to those bytes: not as the response to an
   * earlier request, not as a second response to the same request, and not in the middle of a body.
   */
  reject(text: string): void {
    const latest = this.#latest
    const pending = this.#pending
    if (this.#ignoredChunks !== undefined && this.#ignoredChunks > 0) this.#ignoredChunks--
    else if (!this.#socket.writable) this.#socket.destroy()
    else if (latest === undefined) this.#hangUp(text)
    else if (latest.req.complete) {
      // No request is pending, so the client takes this text for the response to what it has just sent.
      if (pending === 0) this.#hangUp(text)
      else this.#afterwards = text
    } else if (pending <= 1 && latest.writableEnded) this.#hangUp("")
    else if (pending === 1 && !latest.headersSent) this.#hangUp(text)
    else this.#socket.destroy()
  }

  /** Ends the connection, with or without a last text. The connection of a client that does not close it is destroyed. */
  #hangUp(text: string): void {
    const socket = this.#socket
    if (!socket.writable) return
    // Destroying it at once would reset it, and the client could lose the text.
    this.#ignoredChunks = closeGraceChunks
    socket.end(text)
    if (socket instanceof Socket) socket.setTimeout(closeGraceMillis, () => socket.destroy())
  }
}
