import { type Dispatcher, errors } from "undici"
import { anonymous } from "../errors/anonymous.ts"
import { type UpstreamError, UpstreamTimeout, UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { Passage } from "../fairness/UpstreamShares.ts"
import { type ResponseHead, type ResponseReceiver, tooManyStreams } from "../forward/GatewayClient.ts"
import { isEventStream } from "../forward/isEventStream.ts"
import { isBodiless, isShort } from "../forward/responseLength.ts"
import { ConnectionLost } from "./upstream/ConnectionLost.ts"

const code = (error: Error): string =>
  "code" in error && typeof error.code === "string" ? error.code : error.constructor.name

const classify = (error: Error, timeoutMillis: number): UpstreamError =>
  error instanceof errors.ConnectTimeoutError
    ? new UpstreamTimeout({ millis: timeoutMillis })
    : error instanceof ConnectionLost
    ? new UpstreamUnavailable({ detail: error.message, cause: anonymous(error) })
    // Only the code is used: other messages may quote what the upstream sent.
    : new UpstreamUnavailable({
      detail: `the MCP server cannot be reached or broke off (${code(error)})`,
      cause: anonymous(error)
    })

/** One request through `undici`: short responses are collected; the head of a longer response is reported at once. */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  readonly #method: string
  readonly #timeoutMillis: number
  readonly #receiver: ResponseReceiver
  readonly #passage: Passage
  #deadline: ReturnType<typeof setTimeout> | undefined
  #controller: Dispatcher.DispatchController | undefined
  #cancelled: Error | undefined
  #settled = false
  #ended = false
  #head: ResponseHead | undefined
  #begun = false
  #collected: Array<Uint8Array> = []

  constructor(method: string, timeoutMillis: number, receiver: ResponseReceiver, passage: Passage) {
    this.#method = method
    this.#timeoutMillis = timeoutMillis
    this.#receiver = receiver
    this.#passage = passage
  }

  /**
   * Starts the response timeout, unless it is running, because the upstream has to act. The timeout covers the head,
   * and a short body that is sent together with it.
   */
  startClock(): void {
    if (this.#settled || this.#deadline !== undefined) return
    this.#deadline = setTimeout(() => {
      this.#fail(new UpstreamTimeout({ millis: this.#timeoutMillis }))
      this.cancel()
    }, this.#timeoutMillis)
  }

  /**
   * Stops the response timeout: the upstream has received all available data of the request, so the client has to act.
   */
  stopClock(): void {
    clearTimeout(this.#deadline)
    this.#deadline = undefined
  }

  /** Marks the call as settled. Returns `false` if it already was. */
  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.stopClock()
    this.#passage.settled()
    return true
  }

  #fail(error: UpstreamError): void {
    if (this.#settle() || this.#begun) this.#receiver.fail(error)
  }

  /** Settles a call that could not be sent. */
  reject(error: UpstreamError): void {
    this.#ended = true
    this.#fail(error)
    this.#passage.ended()
  }

  /** Cancels the call: its connection closes, and nothing is reported. Does nothing once the call has ended. */
  cancel(): void {
    if (this.#ended) return
    this.#ended = true
    this.#settle()
    this.#cancelled = new errors.RequestAbortedError()
    this.#controller?.abort(this.#cancelled)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#cancelled !== undefined) controller.abort(this.#cancelled)
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    received: Record<string, string | Array<string> | undefined>
  ): void {
    if (status < 200 || this.#ended) return
    // undici's type allows fields without a value, which undici never produces.
    const headers = received as ResponseHead["headers"]
    this.#head = { status, headers }
    if (isBodiless(this.#method, status)) {
      // Settled now, not at the end: undici would take the length in the head of a 304 for that of a missing body.
      if (this.#settle()) this.#receiver.whole(this.#head, undefined)
      return
    }
    if (isShort(headers)) return
    const type = headers["content-type"]
    if (isEventStream(type) && !this.#passage.goesOn()) {
      this.#fail(new UpstreamUnavailable({ detail: tooManyStreams }))
      return this.cancel()
    }
    if (!this.#settle()) return
    this.#begun = true
    this.#receiver.begin(this.#head, controller)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#ended) return
    if (this.#begun) this.#receiver.piece(chunk)
    else this.#collected.push(chunk)
  }

  onResponseEnd(): void {
    this.#passage.ended()
    if (this.#ended) return
    this.#ended = true
    if (this.#begun) this.#receiver.end()
    else if (this.#head !== undefined && this.#settle()) this.#receiver.whole(this.#head, this.#collectedBody())
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    // Needed for cancelled calls, too: their connection was in use until now.
    this.#passage.ended()
    if (this.#ended) return
    this.#ended = true
    this.#fail(classify(error, this.#timeoutMillis))
  }

  #collectedBody(): Uint8Array | undefined {
    const [first] = this.#collected
    return this.#collected.length > 1 ? Buffer.concat(this.#collected) : first
  }
}
