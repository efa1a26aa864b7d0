import type { Dispatcher } from "undici"
import type { UpstreamError } from "../../errors/GatewayError.ts"
import { answerTooLarge, injectable, withoutLength } from "../../forward/injection.ts"
import type { Injection } from "../../forward/prepare.ts"
import { makeInitializeFramer } from "../../message/initializeEvents.ts"
import { injectAuthInfo } from "../../message/initializeResponse.ts"
import type { EventFramer } from "../../message/sse/eventFramer.ts"
import type { AnswerHead, AnswerReceiver } from "../UpstreamCall.ts"

const framerOf = ({ authInfo, id, limit }: Injection): EventFramer =>
  makeInitializeFramer({ authInfo, id, maxEventBytes: limit })

/** Stands before who waits for what may be an answer to `initialize`, and adds `authInfo` to it. */
export class AuthInfoInjector implements AnswerReceiver {
  readonly #injectionOf: () => Injection | undefined
  readonly #next: AnswerReceiver
  /** A message in pieces. */
  #message: {
    readonly head: AnswerHead
    readonly controller: Dispatcher.DispatchController
    readonly chunks: Array<Uint8Array>
    readonly limit: number
  } | undefined
  #size = 0
  #framer: EventFramer | undefined

  /** @param injectionOf asked when the head of the answer is there; `undefined`: it is an answer like any other */
  constructor(injectionOf: () => Injection | undefined, next: AnswerReceiver) {
    this.#injectionOf = injectionOf
    this.#next = next
  }

  /** An answer whose length is not what the MCP server said. */
  #changed({ headers, status }: AnswerHead, body: Uint8Array): void {
    this.#next.whole({ status, headers: { ...withoutLength(headers), "content-length": String(body.length) } }, body)
  }

  whole(head: AnswerHead, body: Uint8Array | undefined): void {
    const injection = this.#injectionOf()
    const form = injectable(head)
    if (injection === undefined || body === undefined || form === "Neither") return this.#next.whole(head, body)
    if (form === "Message") return this.#changed(head, injectAuthInfo(body, injection.authInfo, injection.id))
    const framer = framerOf(injection)
    this.#changed(head, Buffer.concat([...framer.push(body), ...framer.end()]))
  }

  begin(head: AnswerHead, controller: Dispatcher.DispatchController): void {
    const injection = this.#injectionOf()
    const form = injectable(head)
    if (injection === undefined || form === "Neither") return this.#next.begin(head, controller)
    if (form === "Message") {
      this.#message = { head, controller, chunks: [], limit: injection.limit }
      return
    }
    this.#framer = framerOf(injection)
    this.#next.begin({ ...head, headers: withoutLength(head.headers) }, controller)
  }

  piece(chunk: Uint8Array): void {
    const message = this.#message
    if (message !== undefined) {
      this.#size += chunk.length
      if (this.#size <= message.limit) message.chunks.push(chunk)
      // `fail` follows.
      else message.controller.abort(answerTooLarge())
    } else if (this.#framer === undefined) this.#next.piece(chunk)
    else for (const piece of this.#framer.push(chunk)) this.#next.piece(piece)
  }

  end(): void {
    const message = this.#message
    if (message !== undefined) return this.whole(message.head, Buffer.concat(message.chunks))
    for (const piece of this.#framer?.end() ?? []) this.#next.piece(piece)
    this.#next.end()
  }

  fail(error: UpstreamError): void {
    const message = this.#message
    this.#next.fail(message !== undefined && this.#size > message.limit ? answerTooLarge() : error)
  }
}
