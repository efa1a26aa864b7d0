import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import type * as Http from "node:http"
import { Admission } from "../../authorize/Admission.ts"
import type { BearerToken } from "../../credential/BearerToken.ts"
import { bearerToken } from "../../credential/parseAuthorization.ts"
import type { GatewayError } from "../../errors/GatewayError.ts"
import type { ByteClaim } from "../../fairness/ByteBudget.ts"
import type { Owner } from "../../fairness/FairQueue.ts"
import type { UpstreamRequest } from "../../forward/GatewayClient.ts"
import type { AdmittedRequest, Injection } from "../../forward/prepare.ts"
import { logRespelled } from "../../forward/redirect.ts"
import { type BoundSession, sessionField } from "../../forward/SessionSeal.ts"
import { logStrict } from "../../forward/strictServer.ts"
import { admitted, credentialOf } from "../../http/admit.ts"
import { ownerOf } from "../../http/asker.ts"
import { decorate } from "../../http/decorate.ts"
import { errorContext, errorResponse, internalFault, shuttingDown } from "../../http/errorResponse.ts"
import type { Ending, Exchange } from "../../http/Exchange.ts"
import { logFault } from "../../http/fault.ts"
import { allows, forwarded } from "../../http/methods.ts"
import { expectsBody } from "../../http/readBody.ts"
import type { Identity } from "../../identity/Identity.ts"
import type { AnswerHead, AnswerReceiver } from "../UpstreamCall.ts"
import type { PendingCall } from "../UpstreamPool.ts"
import { AnswerRelay, type RelayedExchange } from "./AnswerRelay.ts"
import { atOnce } from "./atOnce.ts"
import { attempting } from "./attempting.ts"
import { AuthInfoInjector } from "./AuthInfoInjector.ts"
import type { ArrivedRequest, Means } from "./Means.ts"
import { writeOwn } from "./ownAnswer.ts"
import { watchRefusal } from "./RefusalWatch.ts"
import { letGo, readBody, streamedBytes } from "./requestBody.ts"
import { StreamedMessage } from "./StreamedMessage.ts"
import { verifyFor } from "./verifyFor.ts"

/**
 * One request for the protected endpoint, from its judgement to the end of its answer.
 *
 * Each step ends in the next one or in an answer; those that have to wait go on in a callback. Whatever happens, the
 * client gets an answer, the upstream is not kept waiting, and there is one line in the log.
 */
export class McpExchange implements RelayedExchange {
  readonly #means: Means
  readonly #arrived: ArrivedRequest
  readonly exchange: Exchange
  readonly response: Http.ServerResponse
  #verification: Fiber.Fiber<unknown, unknown> | undefined
  #call: PendingCall | undefined
  #relay: AnswerRelay | undefined
  #onRedirect: ((head: AnswerHead) => boolean) | undefined
  #message: StreamedMessage | undefined
  #claim: ByteClaim | undefined
  #session: BoundSession | undefined
  #place = 0
  #over = false

  constructor(means: Means, arrived: ArrivedRequest) {
    this.#means = means
    this.#arrived = arrived
    this.exchange = arrived.exchange
    this.response = arrived.response
  }

  /** Judges the request and sends it on its way. */
  start(): void {
    this.#place = this.#means.open.add(this)
    this.response.once("close", () => this.#close())
    // What is written to a client that has just left; its `close` follows.
    this.response.on("error", () => undefined)
    this.attempt(() => this.#judge())
  }

  /** Ends because the gateway does. */
  shutDown(): void {
    this.exchange.ended = "shutting down"
    this.cancel()
    if (this.response.headersSent) this.response.destroy()
    else this.#answer(shuttingDown(errorContext(this.#means.settings, this.exchange)))
  }

  /** Takes a step, unless all is over; a fault of our own becomes an answer like any other. */
  attempt(step: () => void): void {
    try {
      if (!this.#over) step()
    } catch (defect) {
      this.#fault(defect)
    }
  }

  #judge(): void {
    const { settings, verifier } = this.#means
    const credential = credentialOf(settings, this.exchange, this.#arrived.route.query)
    if (Result.isFailure(credential)) return this.refuse(credential.failure)
    if (credential.success instanceof Admission) return this.#receive(credential.success)
    // What is known is not looked at again, nor wrapped: the registry of wrapped values costs more than all else here.
    const identity = verifier.known?.(credential.success)
    if (identity !== undefined) return this.#authorize(identity)
    const token = bearerToken(credential.success)
    if (Result.isFailure(token)) this.refuse(token.failure)
    else this.#verify(token.success)
  }

  #verify(token: BearerToken): void {
    this.#verification = verifyFor(this.#means, this.exchange, token, (verified) =>
      this.attempt(() => {
        if (verified._tag === "Identity") this.#authorize(verified.identity)
        else if (verified._tag === "Refused") this.refuse(verified.error)
        else this.#fault(verified.defect)
      }))
  }

  #authorize(identity: Identity): void {
    const admission = admitted(this.#means.settings, this.exchange, identity)
    if (Result.isFailure(admission)) this.refuse(admission.failure)
    else this.#receive(admission.success)
  }

  /** Receives the message, if there is to be one. */
  #receive(admission: Admission): void {
    const { maxBodyBytes } = this.#means.settings
    const { request } = this.exchange
    const allowed = allows(forwarded, request.method)
    if (Result.isFailure(allowed)) return this.refuse(allowed.failure)
    const session = atOnce(this.#means.sessions.open(admission.identity, request.headers[sessionField]))
    if (Result.isFailure(session)) return this.refuse(session.failure)
    this.#session = session.success
    const expected = expectsBody(request, maxBodyBytes)
    if (Result.isFailure(expected)) return this.refuse(expected.failure)
    const announced = expected.success
    if (announced._tag === "None") return this.#send(admission, undefined)
    if (this.#arrived.awaitsContinue) this.response.writeContinue()
    const hasContent = announced._tag === "Message"
    const mayBeEmpty = !hasContent || announced.mayBeEmpty
    const claim = () => this.#claim ??= this.#means.buffered.open(this.#ownerOf(admission))
    readBody(this.#arrived.request, hasContent ? maxBodyBytes : 0, claim, (body) =>
      this.attempt(() => {
        if (!hasContent && body._tag !== "Whole") return this.refuse(announced.refused)
        switch (body._tag) {
          case "Whole":
            return this.#send(admission, mayBeEmpty && body.bytes.length === 0 ? undefined : body.bytes)
          case "Begun":
            this.#claim?.keep(streamedBytes)
            return this.#stream(admission, body.chunks)
          case "Refused":
            return this.refuse(body.error)
        }
      }))
  }

  #ownerOf({ identity }: Admission): Owner {
    return ownerOf(this.#means.settings.trustedProxies, this.exchange, identity)
  }

  #admittedRequest(admission: Admission): AdmittedRequest {
    const { request: { headers, method }, traceId, trustedPeer } = this.exchange
    const { query, rest } = this.#arrived.route
    const owner = this.#ownerOf(admission)
    return { admission, method, rest, query, headers, traceId, trustedPeer, session: this.#session, owner }
  }

  #makeRelay(listens: () => boolean): AnswerRelay {
    return this.#relay = new AnswerRelay(this.#means.settings, this.#means.clock, this, listens)
  }

  #send(admission: Admission, body: Uint8Array | undefined): void {
    const prepared = this.#means.prepare.whole(this.#admittedRequest(admission), body)
    if (Result.isFailure(prepared)) return this.refuse(prepared.failure)
    const { addition, injection, listens, request, respelled } = prepared.success
    const relay = this.#makeRelay(() => listens)
    const adding = (): AnswerReceiver => injection === undefined ? relay : new AuthInfoInjector(() => injection, relay)
    const send = (request: UpstreamRequest): void => {
      const receiver = addition === undefined
        ? injection === undefined ? relay : attempting(this, adding())
        : attempting(
          this,
          watchRefusal(adding(), relay, {
            refused: (withoutIt) => {
              this.cancel()
              this.#call = this.#means.pool.send(addition.without(), attempting(this, withoutIt))
            },
            learned: () => {
              addition.learn()
              this.#means.run(logStrict)
            }
          })
        )
      this.#call = this.#means.pool.send(request, receiver)
    }
    this.#onRedirect = (head) => {
      const again = respelled(head)
      if (again === undefined) return false
      this.#means.run(logRespelled(head))
      this.cancel()
      send(again)
      return true
    }
    send(request)
  }

  sealed(id: string | ReadonlyArray<string>): string | ReadonlyArray<string> {
    return this.#session === undefined ? id : Effect.runSync(this.#means.sessions.seal(this.#session, id))
  }

  answered(): void {
    // Nothing of the message is needed any more, unless it is still on its way.
    this.#onRedirect = undefined
    if (this.#message === undefined) this.#claim?.release()
  }

  redirected(head: AnswerHead): boolean {
    const onRedirect = this.#onRedirect
    // Once: a server that redirects both spellings would have us go in circles.
    this.#onRedirect = undefined
    return onRedirect?.(head) === true
  }

  /** Sends a message that is too long to be collected. */
  #stream(admission: Admission, begun: ReadonlyArray<Uint8Array>): void {
    const { pool, prepare, settings } = this.#means
    const { injection, request, respelled, rewriter } = prepare.streamed(this.#admittedRequest(admission))
    this.#onRedirect = (head) => {
      // What has left of the message is gone: it is for the next one.
      if (respelled(head) !== undefined) this.#means.run(logRespelled(head))
      return false
    }
    let toInject: Injection | undefined
    // Until the message says otherwise: an answer to an unfinished message has no other end.
    let listens = true
    const message = new StreamedMessage(this.#arrived.request, begun, rewriter, settings.maxBodyBytes, {
      attempt: (step) => this.attempt(step),
      waits: (forUpstream) => forUpstream ? this.#call?.startClock() : this.#call?.stopClock(),
      complete: (summary) => {
        toInject = injection(summary)
        listens = summary.listens
        this.#call?.startClock()
      },
      refuse: (error) =>
        this.attempt(() => {
          this.cancel()
          if (this.response.headersSent) this.breakOff()
          else this.refuse(error)
        })
    })
    // Refused by its beginning: nobody has been asked.
    if (message.destroyed) return
    this.#message = message
    message.once("close", () => letGo(this.#arrived.request))
    const injector = new AuthInfoInjector(() => toInject, this.#makeRelay(() => listens))
    this.#call = pool.send(request, attempting(this, injector), message)
    if (message.readableLength >= message.readableHighWaterMark) this.#call.startClock()
  }

  refuse(error: GatewayError): void {
    const { settings } = this.#means
    this.exchange.error = error
    this.#answer(errorResponse(error, errorContext(settings, this.exchange)))
  }

  #fault(defect: unknown): void {
    const { run, settings } = this.#means
    run(logFault(this.exchange, defect))
    this.cancel()
    if (this.response.headersSent) this.breakOff()
    else this.#answer(internalFault(errorContext(settings, this.exchange)))
  }

  #answer(response: HttpServerResponse): void {
    this.exchange.status = response.status
    this.#message?.destroy()
    letGo(this.#arrived.request)
    writeOwn(this.response, decorate(this.#means.settings, this.exchange, response))
  }

  /** The client sees that its answer is not complete. */
  breakOff(why: Ending = "broken off"): void {
    this.exchange.ended = why
    this.response.destroy()
  }

  cancel(): void {
    this.#call?.cancel()
  }

  /** The answer is over, in one way or another. */
  #close(): void {
    const { log, open } = this.#means
    this.#over = true
    this.#claim?.release()
    open.remove(this.#place)
    this.#relay?.close()
    this.#verification?.interruptUnsafe()
    this.cancel()
    log(this.exchange, this.exchange.ended ?? (this.response.writableFinished ? undefined : "client left"))
  }
}
