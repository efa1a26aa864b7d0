import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Http from "node:http"
import type { ByteClaim } from "../../fairness/ByteBudget.ts"
import type { PendingCall, UpstreamRequest } from "../../forward/GatewayClient.ts"
import { isLogged, logFault } from "../../http/accessLog.ts"
import type { Perform } from "../../http/course/perform.ts"
import type { Next, ReadBody, Sending, StreamedMessage } from "../../http/course/steps.ts"
import type { Ending, Exchange } from "../../http/Exchange.ts"
import { inTrace, tracedDispatch } from "../../http/RequestTrace.ts"
import type { ArrivedRequest, ExchangeServices } from "./ExchangeServices.ts"
import { MessageStream } from "./MessageStream.ts"
import { discardBody, readBody, streamedBytes } from "./requestBody.ts"
import { type RelayedExchange, ResponseRelay } from "./ResponseRelay.ts"
import { writeResponse } from "./writeResponse.ts"

/**
 * One request on Node, from its arrival to the end of its response. It is the driver that carries out the course with
 * callbacks.
 *
 * In all cases, the client gets a response, the upstream does not wait forever, and there is one log entry.
 */
export class NodeExchange implements RelayedExchange {
  readonly #services: ExchangeServices
  readonly #arrived: ArrivedRequest
  readonly exchange: Exchange
  readonly response: Http.ServerResponse
  #waiting: Fiber.Fiber<unknown, unknown> | undefined
  #call: PendingCall | undefined
  #sending: Sending | undefined
  #relay: ResponseRelay | undefined
  /** The beginning of a message that is too long to be collected. Kept until it is sent. */
  #begun: ReadonlyArray<Uint8Array> = []
  #message: MessageStream | undefined
  #claim: ByteClaim | undefined
  #place = 0
  #isOver = false

  constructor(services: ExchangeServices, exchange: Exchange, arrived: ArrivedRequest) {
    this.#services = services
    this.#arrived = arrived
    this.exchange = exchange
    this.response = arrived.response
  }

  get perform(): Perform {
    return this.#services.course.perform
  }

  start(): void {
    this.#place = this.#services.open.add(this)
    this.response.once("close", () => this.#close())
    // An error when writing to a client that has just left is ignored: the `close` event follows.
    this.response.on("error", () => undefined)
    this.attempt(() => this.#go(this.#services.course.next(this.exchange)))
  }

  /** Ends the exchange because the gateway shuts down. */
  shutDown(): void {
    this.exchange.ended = "shutting down"
    if (this.response.headersSent) {
      this.cancel()
      this.response.destroy()
    } else this.respond(this.#services.course.responses.shuttingDown(this.exchange).response)
  }

  /** Ends the response if it is an event stream: its client reconnects, and gets the current configuration. */
  endStream(): void {
    if (this.#relay?.endStream() !== true) return
    this.exchange.ended = "reloaded"
    this.cancel()
    this.response.end()
  }

  attempt(step: () => void): void {
    try {
      if (!this.#isOver) step()
    } catch (defect) {
      this.fault(defect)
    }
  }

  #go(next: Next<Sending>): void {
    switch (next._tag) {
      case "Respond":
        return this.respond(next.response)
      case "ReadBody":
        return this.#read(next)
      case "Ready":
        return this.#send(next.value)
      case "Verify":
      case "OpenSession":
      case "CountMessages":
      case "AuthorizeUpstream":
      case "Document":
      case "Readiness":
      case "Facade":
        return this.wait(this.perform.step(next), (next) => this.#go(next))
      default:
        return next satisfies never
    }
  }

  wait<A>(effect: Effect.Effect<A>, then: (value: A) => void): void {
    const fiber = this.#services.run(inTrace(this.exchange, effect))
    this.#waiting = fiber
    fiber.addObserver((exit) =>
      this.attempt(() => {
        if (Exit.isSuccess(exit)) then(exit.value)
        else this.fault(Cause.squash(exit.cause))
      })
    )
  }

  run(effect: Effect.Effect<void>): void {
    this.#services.run(inTrace(this.exchange, effect))
  }

  #read({ limit, owner, rejected, streamed, tooLarge, whole }: ReadBody<Sending>): void {
    const { course: { memory }, sendsArriving } = this.#services
    if (this.#arrived.awaitsContinue) this.response.writeContinue()
    const claim = () => this.#claim ??= memory.budget.open(owner)
    readBody(this.#arrived.request, {
      limit,
      collects: !sendsArriving || streamed === undefined,
      max: memory.max,
      claim
    }, {
      whole: (bytes) => this.attempt(() => this.#go(whole(bytes))),
      begun: (chunks) => {
        this.#claim?.keep(streamedBytes)
        this.#begun = chunks
        // Only called if the body need not be collected.
        this.attempt(() => this.#go(streamed === undefined ? tooLarge() : streamed()))
      },
      tooLarge: () => this.attempt(() => this.#go(tooLarge())),
      rejected: (error) => this.attempt(() => this.#go(rejected(error)))
    })
  }

  #send(sending: Sending): void {
    this.#sending = sending
    if (sending.message === undefined) this.#dispatch(sending, sending.request)
    else this.#stream(sending, sending.message)
  }

  #dispatch(sending: Sending, request: UpstreamRequest, message?: MessageStream): void {
    this.#relay?.close()
    const relay = new ResponseRelay(this, sending)
    this.#relay = relay
    const { trace } = this.exchange
    const { dispatch } = this.#services
    const call = (trace === undefined ? dispatch : tracedDispatch(dispatch, trace))(request, relay, message)
    // If the upstream responds at once, the request may already have been sent again, through another relay.
    if (this.#relay === relay) this.#call = call
  }

  /** Sends a message that is too long to be collected. */
  #stream(sending: Sending, streamed: StreamedMessage): void {
    const { request } = this.#arrived
    const message = new MessageStream(request, this.#begun, streamed, {
      attempt: (step) => this.attempt(step),
      waits: (forUpstream) => forUpstream ? this.#call?.startClock() : this.#call?.stopClock(),
      complete: () => this.#call?.startClock(),
      reject: (error) =>
        this.attempt(() => {
          this.cancel()
          if (this.response.headersSent) this.breakOff()
          else this.respond(sending.rejected(error).response)
        })
    })
    this.#begun = []
    // The message was rejected because of its beginning, so no request was sent.
    if (message.destroyed) return
    this.#message = message
    message.once("close", () => discardBody(request))
    this.#dispatch(sending, sending.request, message)
    if (message.readableLength >= message.readableHighWaterMark) this.#call?.startClock()
  }

  resend(request: UpstreamRequest): void {
    this.cancel()
    if (this.#sending !== undefined) this.#dispatch(this.#sending, request)
  }

  begun(): void {
    // The message is no longer needed, unless it is still being sent.
    if (this.#message === undefined) this.#claim?.release()
  }

  fault(defect: unknown): void {
    this.run(logFault(this.exchange, defect))
    if (this.response.headersSent) {
      this.cancel()
      this.breakOff()
    } else this.respond(this.#services.course.responses.fault(this.exchange).response)
  }

  respond(response: HttpServerResponse): void {
    this.cancel()
    this.#relay?.close()
    this.#message?.destroy()
    discardBody(this.#arrived.request)
    writeResponse(this.response, response)
  }

  breakOff(why: Ending = "broken off"): void {
    this.exchange.ended = why
    this.response.destroy()
  }

  cancel(): void {
    this.#call?.cancel()
  }

  /** Called when the response has ended, completely or not. */
  #close(): void {
    const { course, minimumLevel, open } = this.#services
    this.#isOver = true
    this.#claim?.release()
    open.remove(this.#place)
    this.#relay?.close()
    this.#waiting?.interruptUnsafe()
    this.cancel()
    course.measure?.ended(this.exchange)
    if (this.exchange.trace === undefined && !course.audits && !isLogged(minimumLevel, this.exchange)) return
    this.run(
      course.log(this.exchange, this.exchange.ended ?? (this.response.writableFinished ? undefined : "client left"))
    )
  }
}
