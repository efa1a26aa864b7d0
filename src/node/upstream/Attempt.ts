import type { Dispatcher } from "undici"
import { errorCode } from "../errorCode.ts"
import { ConnectionLost } from "./ConnectionLost.ts"
import type { Loss, UpstreamConnection } from "./UpstreamConnection.ts"

const losses: ReadonlySet<string> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"])

/** One attempt to send a request. Reports to the call that waits for the response, or starts another attempt. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly #call: Dispatcher.DispatchHandler
  readonly #mayRepeat: (loss: Loss, code: string) => boolean
  readonly #repeat: () => void
  readonly #onReused: (() => void) | undefined
  #connection: UpstreamConnection | undefined
  #isOver = false

  /**
   * @param mayRepeat whether to send the request again after this loss, before any part of a response
   * @param repeat sends the request again
   * @param onReused called when a complete response was not the first one of its connection
   */
  constructor(
    call: Dispatcher.DispatchHandler,
    mayRepeat: (loss: Loss, code: string) => boolean,
    repeat: () => void,
    onReused?: () => void
  ) {
    this.#call = call
    this.#mayRepeat = mayRepeat
    this.#repeat = repeat
    this.#onReused = onReused
  }

  get isOver(): boolean {
    return this.#isOver
  }

  goesOver(connection: UpstreamConnection): void {
    this.#connection = connection
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#connection?.begin()
    this.#call.onRequestStart?.(controller, context)
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | Array<string> | undefined>,
    text?: string
  ): void {
    this.#call.onResponseStart?.(controller, status, headers, text)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#call.onResponseData?.(controller, chunk)
  }

  onResponseEnd(
    controller: Dispatcher.DispatchController,
    trailers: Record<string, string | Array<string> | undefined>
  ): void {
    this.#isOver = true
    this.#connection?.end()
    if (this.#connection?.isReused === true) this.#onReused?.()
    this.#call.onResponseEnd?.(controller, trailers)
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    const loss = this.#connection?.loss()
    const code = errorCode(error)
    if (loss === undefined || !losses.has(code)) this.#call.onResponseError?.(controller, error)
    else if (this.#mayRepeat(loss, code)) this.#repeat()
    else this.#call.onResponseError?.(controller, new ConnectionLost(loss, code))
  }
}
