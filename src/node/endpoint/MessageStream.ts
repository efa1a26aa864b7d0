import * as Result from "effect/Result"
import type { IncomingMessage } from "node:http"
import { Readable } from "node:stream"
import type { GatewayError } from "../../errors/GatewayError.ts"
import type { StreamedMessage } from "../../http/course/steps.ts"

// How many bytes may wait until the MCP server accepts them.
const highWaterMark = 256 * 1024

export interface MessageStreamListener {
  /** Runs a step. A defect in it results in an error response instead of an uncaught exception in an event handler. */
  readonly attempt: (step: () => void) => void
  /** Whether progress now depends on the MCP server, or on the client. */
  readonly waits: (forUpstream: boolean) => void
  /** The whole message has arrived. */
  readonly complete: () => void
  /** The message is rejected. Its sent part is incomplete, so the connection to the MCP server must be closed. */
  readonly reject: (error: GatewayError) => void
}

/**
 * A message that is too long to be collected. It is checked and rewritten on its way to the MCP server, no faster than
 * that server reads.
 *
 * Its last part is sent only after all checks, so that the MCP server never gets a complete message that was rejected.
 */
export class MessageStream extends Readable {
  readonly #request: IncomingMessage
  readonly #message: StreamedMessage
  readonly #listener: MessageStreamListener
  #size = 0

  /** @param begun the bytes of the message that have already been read; the request is paused */
  constructor(
    request: IncomingMessage,
    begun: ReadonlyArray<Uint8Array>,
    message: StreamedMessage,
    listener: MessageStreamListener
  ) {
    super({ highWaterMark })
    this.#request = request
    this.#message = message
    this.#listener = listener
    for (const chunk of begun) this.#take(chunk)
    request.on("data", (chunk: Uint8Array) => listener.attempt(() => this.#take(chunk)))
    request.on("end", () => listener.attempt(() => this.#finish()))
    // The `close` event also follows a complete request, of which a part may not have been sent yet.
    request.on("close", () => {
      if (!request.readableEnded) this.destroy()
    })
  }

  override _read(): void {
    if (this.#request.readableEnded) return
    this.#listener.waits(false)
    this.#request.resume()
  }

  #take(chunk: Uint8Array): void {
    if (this.destroyed) return
    this.#size += chunk.length
    const { limit, rewriter, tooLarge } = this.#message
    if (this.#size > limit) return this.#reject(tooLarge)
    const pieces = rewriter.push(chunk)
    if (Result.isFailure(pieces)) return this.#reject(pieces.failure)
    this.#pass(pieces.success)
  }

  #finish(): void {
    if (this.destroyed) return
    const { complete, rewriter } = this.#message
    const last = rewriter.end()
    if (Result.isFailure(last)) return this.#reject(last.failure)
    const rejected = complete(last.success)
    if (rejected !== undefined) return this.#reject(rejected)
    this.#listener.complete()
    this.#pass(last.success.rest)
    this.push(null)
  }

  #pass(pieces: ReadonlyArray<Uint8Array>): void {
    for (const piece of pieces) {
      if (this.push(piece)) continue
      this.#request.pause()
      this.#listener.waits(true)
    }
  }

  #reject(error: GatewayError): void {
    this.destroy()
    this.#listener.reject(error)
  }
}
