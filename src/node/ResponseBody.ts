import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../errors/GatewayError.ts"
import type { Flow } from "../forward/GatewayClient.ts"

type Chunks = readonly [Uint8Array, ...Array<Uint8Array>]
type Pulled = Exit.Exit<Chunks, UpstreamError | Cause.Done<void>>

// Enough for a burst of events. Further chunks wait in the upstream's socket until the client reads.
const highWaterMark = 256 * 1024

/**
 * The body of an upstream response, between `undici`, which pushes chunks, and the stream, which pulls them.
 *
 * Chunks that arrive before they are pulled are buffered up to a limit, beyond which the upstream connection is paused.
 */
export class ResponseBody {
  readonly #flow: Flow
  #chunks: Array<Uint8Array> = []
  #size = 0
  #end: Exit.Exit<never, UpstreamError | Cause.Done<void>> | undefined
  #waiting: ((exit: Pulled) => void) | undefined

  constructor(flow: Flow) {
    this.#flow = flow
  }

  /** Takes a chunk from the upstream connection. */
  push(chunk: Uint8Array): void {
    const waiting = this.#waiting
    if (waiting !== undefined) {
      this.#waiting = undefined
      waiting(Exit.succeed([chunk]))
      return
    }
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size > highWaterMark) this.#flow.pause()
  }

  /** Ends the body normally. */
  end(): void {
    this.#finish(Exit.fail(Cause.Done()))
  }

  /** Fails the body: the client sees that its response is incomplete. */
  fail(error: UpstreamError): void {
    this.#finish(Exit.fail(error))
  }

  fault(defect: unknown): void {
    this.#finish(Exit.die(defect))
  }

  #finish(end: Exit.Exit<never, UpstreamError | Cause.Done<void>>): void {
    this.#end ??= end
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(this.#end)
  }

  readonly #pull = Effect.callback<Chunks, UpstreamError | Cause.Done<void>>((resume) => {
    const [first, ...rest] = this.#chunks
    if (first !== undefined) {
      this.#chunks = []
      this.#size = 0
      this.#flow.resume()
      resume(Exit.succeed([first, ...rest]))
    } else if (this.#end !== undefined) {
      resume(this.#end)
    } else {
      this.#waiting = resume
    }
  })

  /** The body as a stream, which can be consumed once. */
  readonly stream: Stream.Stream<Uint8Array, UpstreamError> = Stream.fromPull(Effect.succeed(this.#pull))
}
