import type * as Clock from "effect/Clock"
import type * as Http from "node:http"
import type { Dispatcher } from "undici"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { type UpstreamError, type UpstreamScopeRequired, UpstreamUnavailable } from "../../errors/GatewayError.ts"
import { isRedirect } from "../../forward/redirect.ts"
import { refuseAnswer } from "../../forward/refuseAnswer.ts"
import { responseHeaders } from "../../forward/responseHeaders.ts"
import { responseLife } from "../../forward/responseLife.ts"
import { sessionField } from "../../forward/SessionSeal.ts"
import { commonHeaders } from "../../http/decorate.ts"
import type { Ending, Exchange } from "../../http/Exchange.ts"
import type { AnswerHead, AnswerReceiver } from "../UpstreamCall.ts"

/** What the relay can do with the exchange that it belongs to. */
export interface RelayedExchange {
  readonly exchange: Exchange
  readonly response: Http.ServerResponse
  /** Gives up the call upstream. */
  readonly cancel: () => void
  /** Takes note of a redirect; says whether the request has been sent again, so that another answer comes. */
  readonly redirected: (head: AnswerHead) => boolean
  /** Takes note of the head of the answer: the request will not be sent again. */
  readonly answered: () => void
  /** The id of a session as the client gets to know it. */
  readonly sealed: (id: string | ReadonlyArray<string>) => string | ReadonlyArray<string>
  /** Answers an error in place of the MCP server's answer. */
  readonly refuse: (error: UpstreamError | UpstreamScopeRequired) => void
  /** Ends an answer whose head is out so that the client sees that it is not complete. */
  readonly breakOff: (why?: Ending) => void
  /** Takes a step, unless all is over; a fault of our own becomes an answer. */
  readonly attempt: (step: () => void) => void
}

/** The MCP server's answer on its way to the client: short ones in one write, longer ones no faster than it reads. */
export class AnswerRelay implements AnswerReceiver {
  readonly #settings: GatewaySettings
  readonly #clock: Clock.Clock
  readonly #to: RelayedExchange
  readonly #listens: () => boolean
  #controller: Dispatcher.DispatchController | undefined
  #ending: ReturnType<typeof setTimeout> | undefined

  /** @param listens asked when the head of the answer is there: the request opened a stream that has no end of its own */
  constructor(settings: GatewaySettings, clock: Clock.Clock, to: RelayedExchange, listens: () => boolean) {
    this.#settings = settings
    this.#clock = clock
    this.#to = to
    this.#listens = listens
  }

  /** Forgets what was to be done later: the answer is over. */
  close(): void {
    clearTimeout(this.#ending)
  }

  whole(head: AnswerHead, body: Uint8Array | undefined): void {
    this.#to.attempt(() => {
      if (this.#write(head)) this.#to.response.end(body)
    })
  }

  begin(head: AnswerHead, controller: Dispatcher.DispatchController): void {
    this.#to.attempt(() => {
      if (!this.#write(head)) return
      const { response } = this.#to
      this.#controller = controller
      response.on("drain", () => controller.resume())
      // The first piece of an event stream may be hours away, and its client waits for the head.
      response.flushHeaders()
      this.#limit(head)
    })
  }

  piece(chunk: Uint8Array): void {
    if (!this.#to.response.write(chunk)) this.#controller?.pause()
  }

  end(): void {
    this.#to.response.end()
  }

  fail(error: UpstreamError): void {
    this.#to.attempt(() => {
      if (this.#to.response.headersSent) this.#to.breakOff()
      else this.#to.refuse(error)
    })
  }

  #refuse(error: UpstreamUnavailable | UpstreamScopeRequired): void {
    this.#to.refuse(error)
    this.#to.cancel()
  }

  /** Writes the head, unless the answer may not be handed on or is not one that can be written. */
  #write(head: AnswerHead): boolean {
    const { exchange, response } = this.#to
    const { headers, status } = head
    if (isRedirect(status) && this.#to.redirected(head)) return false
    this.#to.answered()
    const refused = refuseAnswer({ headers, status }, this.#settings, exchange.identity)
    if (refused !== undefined) {
      this.#refuse(refused)
      return false
    }
    const { vary, [sessionField]: session } = headers
    const fields = Object.assign(
      responseHeaders(headers),
      session === undefined ? undefined : { [sessionField]: this.#to.sealed(session) },
      commonHeaders(this.#settings, exchange, typeof vary === "string" ? vary : vary?.join(", "))
    )
    exchange.status = status
    try {
      // Node's type has no room for arrays that may not be changed.
      response.writeHead(status, fields as Http.OutgoingHttpHeaders)
      return true
    } catch {
      this.#refuse(new UpstreamUnavailable({ detail: "the MCP server answers with fields that cannot be written" }))
      return false
    }
  }

  /** Cuts the answer when its life is over. */
  #limit({ headers }: AnswerHead): void {
    const { exchange, response } = this.#to
    const life = responseLife(this.#settings, exchange.identity, {
      listens: this.#listens(),
      nowMillis: this.#clock.currentTimeMillisUnsafe(),
      type: headers["content-type"]
    })
    if (life === undefined) return
    this.#ending = setTimeout(() => {
      this.#to.cancel()
      if (life.reason === "response timeout") return this.#to.breakOff(life.reason)
      exchange.ended = life.reason
      response.end()
    }, life.millis)
  }
}
