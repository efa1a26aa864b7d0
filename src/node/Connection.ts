import type { ServerResponse } from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { OpenSet } from "./OpenSet.ts"

// What a refused client may still send, while it reads the refusal, before its connection is cut.
const closeGraceMillis = 1_000
const closeGraceChunks = 64

// What is worked on at the same time for one connection. Of what follows nothing is read until one of them is answered.
const openRequests = 64

// How many requests of one connection begin in one turn of the event loop: those of others come between.
const begunInTurn = 16

/** A request that has arrived and waits until others of its connection are answered. */
interface HeldRequest {
  readonly response: ServerResponse
  readonly begin: () => void
}

/**
 * A client's connection: what it was asked, and what it has not been told yet.
 *
 * At most 64 requests are worked on at the same time. While more have arrived, the connection is not read: what its last
 * segment held waits here, and the rest stays with the client.
 */
export class Connection {
  readonly #socket: Duplex
  #latest: ServerResponse | undefined
  readonly #open = new OpenSet<ServerResponse>()
  /** In the order in which they arrived. */
  #held: Array<HeldRequest> = []
  #isHeld = false
  #begunInTurn = 0
  #isContinuing = false
  /** What is to be said once everything is answered. */
  #afterwards: string | undefined
  /** How many more chunks are overlooked, once the connection has been ended from here. */
  #overlooked: number | undefined

  readonly #onAnswered: () => void

  /** @param onAnswered called whenever everything that has arrived is answered */
  constructor(socket: Duplex, onAnswered: () => void) {
    this.#socket = socket
    this.#onAnswered = onAnswered
  }

  get isAnswered(): boolean {
    return this.#unanswered === 0
  }

  get #unanswered(): number {
    return this.#open.size + this.#held.length
  }

  /**
   * Takes a request: it begins at once, or once others of the same connection are answered.
   *
   * @param begin called once, or never, if the connection closes first
   */
  arrive(response: ServerResponse, begin: () => void): void {
    this.#latest = response
    if (this.isAnswered) this.#begunInTurn = 0
    if (!this.#isHeld && this.#open.size < openRequests && this.#begunInTurn < begunInTurn) {
      return this.#begin({ response, begin })
    }
    this.#held.push({ response, begin })
    this.#hold()
    this.#continueLater()
  }

  #begin({ begin, response }: HeldRequest): void {
    this.#begunInTurn++
    const place = this.#open.add(response)
    response.once("close", () => {
      this.#open.remove(place)
      this.#continueLater()
      if (!this.isAnswered) return
      if (this.#afterwards !== undefined) this.#hangUp(this.#afterwards)
      this.#onAnswered()
    })
    begin()
  }

  /** Stops reading. */
  #hold(): void {
    if (this.#isHeld) return
    this.#isHeld = true
    const socket = this.#socket
    socket.pause()
    // Node's messages resume their connection when they are read, and when they are over.
    socket.resume = () => socket
  }

  #release(): void {
    this.#isHeld = false
    Reflect.deleteProperty(this.#socket, "resume")
    this.#socket.resume()
  }

  /** Begins requests that were held, in the next turn of the event loop. */
  #continueLater(): void {
    if (this.#isContinuing || this.#held.length === 0 || this.#open.size >= openRequests) return
    this.#isContinuing = true
    setImmediate(() => {
      this.#isContinuing = false
      this.#begunInTurn = 0
      const room = Math.min(begunInTurn, openRequests - this.#open.size)
      for (const held of this.#held.splice(0, room)) this.#begin(held)
      if (this.#held.length > 0) this.#continueLater()
      else if (this.#isHeld) this.#release()
    })
  }

  /** Makes the answers that are open the last ones: those whose head is still to come say so. */
  makeLast(): void {
    for (const response of this.#open.now()) response.shouldKeepAlive = false
  }

  /** The connection is gone. */
  close(): void {
    // Node tells only the answer whose turn it is; those that wait behind it would wait for ever.
    this.#held = []
    for (const response of this.#open.now()) {
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
    const unanswered = this.#unanswered
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
