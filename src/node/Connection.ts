import type { ServerResponse } from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { Owner } from "../fairness/FairQueue.ts"
import type { Shares } from "../fairness/Shares.ts"
import { OpenSet } from "./OpenSet.ts"
import type { Place, Turns } from "./Turns.ts"

// What a refused client may still send, while it reads the refusal, before its connection is cut.
const closeGraceMillis = 1_000
const closeGraceChunks = 64

// What is worked on at the same time for one connection. Of what follows nothing is read until one of them is answered.
const openRequests = 64

/** A request that has arrived and waits until others of its connection are answered. */
interface HeldRequest {
  readonly response: ServerResponse
  readonly begin: () => void
}

/** What the connections of a server share. */
export interface ConnectionMeans {
  /** The turns of the event loop. */
  readonly turns: Turns
  /** Requests that clients have sent ahead, and that wait in memory. */
  readonly ahead: Shares
}

/**
 * A client's connection: what it was asked, and what it has not been told yet.
 *
 * At most 64 requests are worked on at the same time, and in each turn of the event loop a few begin. While more have
 * arrived, the connection is not read: what its last segment held waits here, and the rest stays with the client. A
 * client whose segments hold more requests than its share of all that may wait loses its connection.
 */
export class Connection {
  readonly #socket: Duplex
  readonly #means: ConnectionMeans
  readonly #owner: Owner
  #latest: ServerResponse | undefined
  readonly #open = new OpenSet<ServerResponse>()
  /** In the order in which they arrived, from `#next` on. */
  #held: Array<HeldRequest> = []
  #next = 0
  /** How many of those that are held were sent ahead of an answer, and whose share they count to. */
  #ahead = 0
  #isHeld = false
  #place: Place | undefined
  /** What is to be said once everything is answered. */
  #afterwards: string | undefined
  /** How many more chunks are ignored after this side has ended the connection. */
  #ignoredChunks: number | undefined

  readonly #onAnswered: () => void

  /** @param onAnswered called whenever everything that has arrived is answered */
  constructor(socket: Duplex, means: ConnectionMeans, owner: Owner, onAnswered: () => void) {
    this.#socket = socket
    this.#means = means
    this.#owner = owner
    this.#onAnswered = onAnswered
  }

  get isAnswered(): boolean {
    return this.#unanswered === 0
  }

  get #heldCount(): number {
    return this.#held.length - this.#next
  }

  get #unanswered(): number {
    return this.#open.size + this.#heldCount
  }

  /**
   * Takes a request: it begins at once, or when its turn has come and others of the same connection are answered.
   *
   * @param begin called once, or never, if the connection closes first
   */
  arrive(response: ServerResponse, begin: () => void): void {
    const { ahead, turns } = this.#means
    this.#latest = response
    if (this.#heldCount === 0 && this.#open.size < openRequests && turns.begin()) {
      return this.#begin({ response, begin })
    }
    if (this.#socket.destroyed) return
    // What a client sends when it has its answer is one request for each connection.
    if (!this.isAnswered) {
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

  /** Waits for the turn of the first that is held. */
  #awaitTurn(): void {
    if (this.#place !== undefined || this.#heldCount === 0 || this.#open.size >= openRequests) return
    this.#place = this.#means.turns.wait(this.#owner, () => {
      this.#place = undefined
      const held = this.#held[this.#next++]
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

  /** Makes the open responses the last ones of the connection; heads that are not sent yet announce it. */
  makeLast(): void {
    for (const response of this.#open.now()) response.shouldKeepAlive = false
  }

  /** The connection is gone. */
  close(): void {
    // Node tells only the answer whose turn it is; those that wait behind it would wait for ever.
    this.#forgetHeld()
    if (this.#place !== undefined) this.#means.turns.leave(this.#place)
    this.#place = undefined
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
    if (this.#ignoredChunks !== undefined && this.#ignoredChunks > 0) this.#ignoredChunks--
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
    this.#ignoredChunks = closeGraceChunks
    socket.end(text)
    if (socket instanceof Socket) socket.setTimeout(closeGraceMillis, () => socket.destroy())
  }
}
