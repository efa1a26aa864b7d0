import type { Dispatcher } from "undici"
import type { UpstreamError } from "../../errors/GatewayError.ts"
import { RefusalReader } from "../../forward/strictServer.ts"
import type { AnswerHead, AnswerReceiver } from "../UpstreamCall.ts"

/** What is done when it is known whether `initialize` was refused. */
interface Verdict {
  /** Says whether the request has been sent again, so that nothing of this answer is handed on. */
  readonly refused: () => boolean
  readonly accepted: () => void
}

const nothing = new Uint8Array(0)

/** Stands before who waits for an answer to `initialize`, and holds it until it is known whether it is a refusal. */
class RefusalWatch implements AnswerReceiver {
  readonly #next: AnswerReceiver
  readonly #verdict: Verdict
  #head: AnswerHead | undefined
  #controller: Dispatcher.DispatchController | undefined
  /** Until it is known. */
  #reader: RefusalReader | undefined

  constructor(next: AnswerReceiver, verdict: Verdict) {
    this.#next = next
    this.#verdict = verdict
  }

  /** Says whether the answer is to be handed on. */
  #passes(refused: boolean): boolean {
    this.#reader = undefined
    if (refused) return !this.#verdict.refused()
    this.#verdict.accepted()
    return true
  }

  whole(head: AnswerHead, body: Uint8Array | undefined): void {
    const refused = RefusalReader.make(head)?.whole(body ?? nothing) === true
    if (this.#passes(refused)) this.#next.whole(head, body)
  }

  begin(head: AnswerHead, controller: Dispatcher.DispatchController): void {
    this.#reader = RefusalReader.make(head)
    if (this.#reader === undefined) {
      if (this.#passes(false)) this.#next.begin(head, controller)
      return
    }
    this.#head = head
    this.#controller = controller
  }

  piece(chunk: Uint8Array): void {
    const reader = this.#reader
    if (reader === undefined) return this.#next.piece(chunk)
    const refused = reader.push(chunk)
    if (refused === undefined || !this.#passes(refused)) return
    if (this.#head === undefined || this.#controller === undefined) return
    this.#next.begin(this.#head, this.#controller)
    for (const held of reader.held) this.#next.piece(held)
  }

  end(): void {
    const reader = this.#reader
    if (reader === undefined) return this.#next.end()
    if (this.#passes(reader.end()) && this.#head !== undefined) {
      this.#next.whole(this.#head, Buffer.concat(reader.held))
    }
  }

  fail(error: UpstreamError): void {
    this.#next.fail(error)
  }
}

/** What becomes of an `initialize` that was sent with an addition. */
export interface Refusal {
  /** Sends it once more without the addition, in place of the first; its answer is for `withoutIt`. */
  readonly refused: (withoutIt: AnswerReceiver) => void
  /** It was taken without the addition, and not with it. */
  readonly learned: () => void
}

/**
 * Watches for a refusal of an addition.
 *
 * @param next gets the answer to the request with the addition
 * @param plain gets the one to the request without it
 */
export const watchRefusal = (next: AnswerReceiver, plain: AnswerReceiver, refusal: Refusal): AnswerReceiver =>
  new RefusalWatch(next, {
    refused: () => {
      refusal.refused(new RefusalWatch(plain, { refused: () => false, accepted: refusal.learned }))
      return true
    },
    accepted: () => undefined
  })
