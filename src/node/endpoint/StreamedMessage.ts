import * as Result from "effect/Result"
import type { IncomingMessage } from "node:http"
import { Readable } from "node:stream"
import { type InvalidRequest, PayloadTooLarge } from "../../errors/GatewayError.ts"
import type { RequestRewriter } from "../../message/requestRewriter.ts"
import type { RequestSummary } from "../../message/requestRules.ts"

// What may wait for the MCP server to take it.
const highWaterMark = 256 * 1024

/** What becomes of a message in the end. */
export interface StreamedMessageEnd {
  /** Takes a step; a fault of our own ends in an answer, and not in the event that it is taken in. */
  readonly attempt: (step: () => void) => void
  /** Whether the MCP server has to take something before there can be more, or the client to send it. */
  readonly waits: (forUpstream: boolean) => void
  /** All of it has come. */
  readonly complete: (message: RequestSummary) => void
  /** It may not go on: what has left is no complete message, and its connection upstream is to be broken off. */
  readonly refuse: (error: InvalidRequest | PayloadTooLarge) => void
}

/**
 * A message that is too long to be collected, judged and rewritten on its way to the MCP server, as fast as that reads.
 *
 * The last of it leaves only when all was found to be good, so that nobody gets a complete message that was refused.
 */
export class StreamedMessage extends Readable {
  readonly #request: IncomingMessage
  readonly #rewriter: RequestRewriter
  readonly #limit: number
  readonly #end: StreamedMessageEnd
  #size = 0

  /**
   * @param begun what has been read of it already; the request is paused
   * @param limit bytes of the whole message
   */
  constructor(
    request: IncomingMessage,
    begun: ReadonlyArray<Uint8Array>,
    rewriter: RequestRewriter,
    limit: number,
    end: StreamedMessageEnd
  ) {
    super({ highWaterMark })
    this.#request = request
    this.#rewriter = rewriter
    this.#limit = limit
    this.#end = end
    for (const chunk of begun) this.#take(chunk)
    request.on("data", (chunk: Uint8Array) => end.attempt(() => this.#take(chunk)))
    request.on("end", () => end.attempt(() => this.#finish()))
    // A request also closes after its end, when some of it may still have to leave.
    request.on("close", () => {
      if (!request.readableEnded) this.destroy()
    })
  }

  override _read(): void {
    if (this.#request.readableEnded) return
    this.#end.waits(false)
    this.#request.resume()
  }

  #take(chunk: Uint8Array): void {
    if (this.destroyed) return
    this.#size += chunk.length
    if (this.#size > this.#limit) return this.#refuse(new PayloadTooLarge({ limit: this.#limit }))
    const pieces = this.#rewriter.push(chunk)
    if (Result.isFailure(pieces)) return this.#refuse(pieces.failure)
    this.#pass(pieces.success)
  }

  #finish(): void {
    if (this.destroyed) return
    const last = this.#rewriter.end()
    if (Result.isFailure(last)) return this.#refuse(last.failure)
    this.#end.complete(last.success)
    this.#pass(last.success.rest)
    this.push(null)
  }

  #pass(pieces: ReadonlyArray<Uint8Array>): void {
    for (const piece of pieces) {
      if (this.push(piece)) continue
      this.#request.pause()
      this.#end.waits(true)
    }
  }

  #refuse(error: InvalidRequest | PayloadTooLarge): void {
    this.destroy()
    this.#end.refuse(error)
  }
}
