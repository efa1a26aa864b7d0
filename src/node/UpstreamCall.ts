import * as Result from "effect/Result"
import { type Dispatcher, errors } from "undici"
import { type UpstreamError, UpstreamTimeout, UpstreamUnavailable } from "../errors/GatewayError.ts"
import { isBodiless, isShort } from "../forward/answerLength.ts"
import type { UpstreamResponse } from "../forward/GatewayClient.ts"
import { ResponseBody } from "./ResponseBody.ts"

const code = (error: Error): string =>
  "code" in error && typeof error.code === "string" ? error.code : error.constructor.name

const classify = (error: Error, timeoutMillis: number): UpstreamError =>
  error instanceof errors.ConnectTimeoutError
    ? new UpstreamTimeout({ millis: timeoutMillis })
    // The code only: an error's message may quote what the upstream sent.
    : new UpstreamUnavailable({ detail: `the MCP server cannot be reached or broke off (${code(error)})` })

/**
 * One request on its way through `undici`: turns its callbacks into one head and, where the answer is not short, a
 * body that is still arriving.
 *
 * Set `onSettled` before dispatching; it is called once, with the head or with the reason why there is none.
 */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  readonly #method: string
  readonly #timeoutMillis: number
  readonly #deadline: ReturnType<typeof setTimeout>
  #controller: Dispatcher.DispatchController | undefined
  #cancelled: Error | undefined
  #ended = false
  #body: ResponseBody | undefined
  #head: Omit<UpstreamResponse, "body"> | undefined
  #collected: Array<Uint8Array> = []

  onSettled: ((result: Result.Result<UpstreamResponse, UpstreamError>) => void) | undefined

  /** The time to answer begins to run here; it covers the head, and a short body that is sent together with it. */
  constructor(method: string, timeoutMillis: number) {
    this.#method = method
    this.#timeoutMillis = timeoutMillis
    this.#deadline = setTimeout(() => {
      this.#settle(Result.fail(new UpstreamTimeout({ millis: timeoutMillis })))
      this.cancel()
    }, timeoutMillis)
  }

  #settle(result: Result.Result<UpstreamResponse, UpstreamError>): void {
    clearTimeout(this.#deadline)
    const onSettled = this.onSettled
    this.onSettled = undefined
    onSettled?.(result)
  }

  /** Settles a call that could not be sent. */
  refuse(error: UpstreamError): void {
    this.#ended = true
    this.#settle(Result.fail(error))
  }

  /** Gives the call up: the upstream sees its connection close. Does nothing once the answer is complete. */
  cancel(): void {
    if (this.#ended) return
    this.#settle(Result.fail(new UpstreamUnavailable({ detail: "the client left" })))
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
    if (status < 200) return
    const headers: Record<string, string | ReadonlyArray<string>> = {}
    for (const name of Object.keys(received)) {
      const value = received[name]
      if (value !== undefined) headers[name] = value
    }
    this.#head = { status, headers }
    if (isBodiless(this.#method, status)) {
      // Not at its end: undici takes the length in the head of a 304 for that of a body which broke off.
      this.#settle(Result.succeed({ ...this.#head, body: { _tag: "Empty" } }))
      return
    }
    if (isShort(headers)) return
    this.#body = new ResponseBody(controller)
    this.#settle(Result.succeed({ ...this.#head, body: { _tag: "Stream", stream: this.#body.stream } }))
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#body === undefined) this.#collected.push(chunk)
    else this.#body.push(chunk)
  }

  onResponseEnd(): void {
    this.#ended = true
    if (this.#body !== undefined) this.#body.end()
    else if (this.#head !== undefined) this.#settle(Result.succeed({ ...this.#head, body: this.#collectedBody() }))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#ended = true
    const failure = classify(error, this.#timeoutMillis)
    if (this.#body === undefined) this.#settle(Result.fail(failure))
    else this.#body.fail(failure)
  }

  #collectedBody(): UpstreamResponse["body"] {
    const [first, ...rest] = this.#collected
    if (first === undefined) return { _tag: "Empty" }
    return { _tag: "Bytes", bytes: rest.length === 0 ? first : Buffer.concat(this.#collected) }
  }
}
