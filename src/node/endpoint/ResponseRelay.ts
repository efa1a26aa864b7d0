import type * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import type * as Http from "node:http"
import { type UpstreamError, UpstreamUnavailable } from "../../errors/GatewayError.ts"
import type { Flow, ResponseHead, ResponseReceiver, UpstreamRequest } from "../../forward/GatewayClient.ts"
import { isEventStream } from "../../forward/isEventStream.ts"
import { CollectedBody } from "../../http/course/bodyChange.ts"
import type { Perform } from "../../http/course/perform.ts"
import type { BodyChange, HeadStep, Inspect, Relay, Sending } from "../../http/course/steps.ts"
import type { Ending, Exchange } from "../../http/Exchange.ts"

export interface RelayedExchange {
  readonly exchange: Exchange
  readonly response: Http.ServerResponse
  readonly perform: Perform
  /** Runs a step, unless the exchange has ended. A defect in it results in an error response. */
  readonly attempt: (step: () => void) => void
  readonly fault: (defect: unknown) => void
  /** Runs an effect, and then a step with the result. */
  readonly wait: <A>(effect: Effect.Effect<A>, then: (value: A) => void) => void
  readonly run: (effect: Effect.Effect<void>) => void
  readonly cancel: () => void
  /** Cancels the upstream request, and sends this one instead. */
  readonly resend: (request: UpstreamRequest) => void
  /** Cancels the upstream request, and sends this response to the client. */
  readonly respond: (response: HttpServerResponse) => void
  /** The request will not be sent again. */
  readonly begun: () => void
  /** Aborts a response whose head was sent, so that the client sees that it is incomplete. */
  readonly breakOff: (why?: Ending) => void
}

const nothing = new Uint8Array(0)

const joined = (pieces: ReadonlyArray<Uint8Array>): Uint8Array =>
  pieces.length === 1 ? pieces[0] ?? nothing : Buffer.concat(pieces)

/**
 * Relays one response of the MCP server to the client. A short response is sent in one write; a longer one no faster
 * than the client reads.
 *
 * Pieces are kept until the course decides to relay the response, and while a message is changed as a whole.
 */
export class ResponseRelay implements ResponseReceiver {
  readonly #to: RelayedExchange
  readonly #sending: Sending
  readonly #held: Array<Uint8Array> = []
  #size = 0
  /** Pauses and resumes the MCP server; `undefined` once the response has ended. */
  #flow: Flow | undefined
  #inspect: Inspect | undefined
  /** A response that is forwarded only after its end has been checked, and its bytes so far. */
  #collecting: { readonly step: Relay; readonly body: CollectedBody } | undefined
  #passing: Relay | undefined
  #change: BodyChange | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #isOver = false

  constructor(to: RelayedExchange, sending: Sending) {
    this.#to = to
    this.#sending = sending
  }

  /** Discards pending work, and all parts of the response that still arrive. */
  close(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#change?.filter.close?.()
    this.#change = undefined
  }

  /** Stops relaying if the response is an event stream that has begun; returns whether it is one. */
  endStream(): boolean {
    const isStream = !this.#isOver && isEventStream(this.#passing?.headers["content-type"])
    if (isStream) this.close()
    return isStream
  }

  whole(head: ResponseHead, body: Uint8Array | undefined): void {
    this.#attempt(() => {
      if (body !== undefined) this.#held.push(body)
      this.#follow(this.#sending.head(head, body !== undefined))
    })
  }

  begin(head: ResponseHead, flow: Flow): void {
    this.#attempt(() => {
      this.#flow = flow
      this.#follow(this.#sending.head(head, true))
    })
  }

  piece(chunk: Uint8Array): void {
    this.#attempt(() => {
      if (this.#passing !== undefined) return this.#pass(this.#passing, chunk)
      if (this.#collecting !== undefined) return this.#collect(this.#collecting.body, chunk)
      this.#held.push(chunk)
      this.#size += chunk.length
      const inspect = this.#inspect
      if (inspect !== undefined) return this.#inspected(inspect, inspect.reader.push(chunk))
      this.#flow?.pause()
    })
  }

  end(): void {
    this.#attempt(() => {
      this.#flow = undefined
      const passing = this.#passing
      if (passing !== undefined) return this.#finish(passing)
      const inspect = this.#inspect
      if (inspect !== undefined) return this.#inspected(inspect, inspect.reader.end())
      if (this.#collecting !== undefined) this.#writeCollected(this.#collecting.step, this.#collecting.body)
    })
  }

  fail(error: UpstreamError): void {
    this.#attempt(() => this.#reject(error))
  }

  fault(defect: unknown): void {
    if (!this.#isOver) this.#to.fault(defect)
  }

  #attempt(step: () => void): void {
    if (!this.#isOver) this.#to.attempt(step)
  }

  #follow(step: HeadStep): void {
    switch (step._tag) {
      case "Relay":
        return this.#relay(step)
      case "Respond":
        return this.#to.respond(step.response)
      case "Resend":
        return this.#to.resend(step.request)
      case "Notify":
        this.#to.run(step.log)
        return this.#follow(step.next)
      case "SealSession":
        return this.#to.wait(this.#to.perform.seal(step), (next) => {
          if (!this.#isOver) this.#follow(next)
        })
      case "Inspect":
        return this.#read(step)
      default:
        return step satisfies never
    }
  }

  /** Inspects the bytes that have arrived, and further ones as they arrive. */
  #read(step: Inspect): void {
    this.#inspect = step
    if (this.#flow === undefined) this.#inspected(step, step.reader.whole(joined(this.#held)))
    else if (this.#size > 0) this.#inspected(step, step.reader.push(joined(this.#held)))
  }

  #inspected({ read }: Inspect, wasRejected: boolean | undefined): void {
    if (wasRejected === undefined) return
    this.#inspect = undefined
    this.#follow(read(wasRejected))
  }

  #relay(step: Relay): void {
    this.#to.begun()
    this.#change = step.change
    if (this.#flow === undefined) return this.#writeWhole(step)
    if (step.change?.whole === undefined) return this.#passOn(step, this.#flow)
    const body = new CollectedBody(step.change)
    this.#collecting = { step, body }
    for (const piece of this.#held.splice(0)) this.#collect(body, piece)
    this.#flow.resume()
  }

  /** Takes a piece of a response that is forwarded only after its end has been checked. */
  #collect(body: CollectedBody, piece: Uint8Array): void {
    const error = this.#isOver ? undefined : body.push(piece)
    if (error !== undefined) this.#reject(error)
  }

  /** Relays a response that has arrived completely. */
  #writeWhole(step: Relay): void {
    if (step.change === undefined) {
      const body = this.#held.length === 0 ? undefined : joined(this.#held)
      if (this.#writeHead(step)) this.#to.response.end(body)
      return
    }
    const body = new CollectedBody(step.change)
    for (const piece of this.#held) this.#collect(body, piece)
    if (!this.#isOver) this.#writeCollected(step, body)
  }

  #writeCollected(step: Relay, body: CollectedBody): void {
    const changed = body.end()
    if (Result.isFailure(changed)) return this.#reject(changed.failure)
    const pieces = changed.success
    step.headers["content-length"] = String(pieces.reduce((length, piece) => length + piece.length, 0))
    if (!this.#writeHead(step)) return
    const { response } = this.#to
    // Corked, so that head and body are sent in one write.
    response.cork()
    for (const piece of pieces) response.write(piece)
    response.end()
    response.uncork()
  }

  /** Relays a response while it arrives. */
  #passOn(step: Relay, flow: Flow): void {
    const { response } = this.#to
    // Chunks that have arrived together are written together: most event streams are one event long. The socket is
    // corked, not the response: since Node 22, a corked response would send its end before its buffered chunks.
    const { socket } = response
    socket?.cork()
    process.nextTick(() => socket?.uncork())
    if (!this.#writeHead(step)) return
    this.#passing = step
    response.on("drain", () => flow.resume())
    // The first event of a stream may take hours, but its client needs the head now.
    response.flushHeaders()
    this.#limit(step)
    for (const piece of this.#held.splice(0)) this.#pass(step, piece)
    if (!response.writableNeedDrain) flow.resume()
  }

  #pass({ change }: Relay, chunk: Uint8Array): void {
    if (change === undefined) return this.#write(chunk)
    if (this.#isOver) return
    for (const piece of change.filter.push(chunk)) this.#write(piece)
    this.#checkFault(change)
  }

  /** Aborts a response that has begun and has a fault. */
  #checkFault({ faulty, filter }: BodyChange): void {
    if (filter.fault === undefined) return
    this.#isOver = true
    clearTimeout(this.#timer)
    const error = faulty(filter.fault)
    this.#to.exchange.error = error
    this.#to.cancel()
    this.#reject(error)
  }

  #write(piece: Uint8Array): void {
    if (!this.#to.response.write(piece)) this.#flow?.pause()
  }

  #finish({ change }: Relay): void {
    const { response } = this.#to
    if (change !== undefined) {
      for (const piece of change.filter.end()) response.write(piece)
      this.#checkFault(change)
      if (change.filter.fault !== undefined) return
    }
    response.end()
  }

  /** Writes the head. Returns whether that was possible. */
  #writeHead({ headers, status }: Relay): boolean {
    try {
      // Node's type does not accept readonly arrays.
      this.#to.response.writeHead(status, headers as Http.OutgoingHttpHeaders)
      return true
    } catch {
      this.#reject(new UpstreamUnavailable({ detail: "the MCP server sent header fields that cannot be written" }))
      return false
    }
  }

  #reject(error: UpstreamError): void {
    if (this.#to.response.headersSent) this.#to.breakOff()
    else this.#to.respond(this.#sending.rejected(error).response)
  }

  /** Ends the response when its time is up. */
  #limit(step: Relay): void {
    const life = step.life()
    if (life === undefined) return
    const { exchange, response } = this.#to
    this.#timer = setTimeout(() => {
      this.#to.cancel()
      if (life.breaksOff) return this.#to.breakOff(life.reason)
      exchange.ended = life.reason
      response.end()
    }, life.millis)
  }
}
