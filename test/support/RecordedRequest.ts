/** A request that an upstream has received, and how it responds. */
import type * as Effect from "effect/Effect"
import type { ServerResponse } from "node:http"

/** One request, as it arrived. */
export interface RecordedRequest {
  readonly method: string
  /** The request target, exactly as received. */
  readonly url: string
  readonly httpVersion: string
  /** Names and values in turn, as received: order, case and repetition kept. */
  readonly rawHeaders: ReadonlyArray<string>
  /** Every value of a header; `name` in any case. */
  readonly headers: (name: string) => ReadonlyArray<string>
  /** Waits for the end of the body; never returns if the client disconnects first. */
  readonly body: Effect.Effect<Uint8Array>
  /** The body up to now. */
  readonly received: () => Uint8Array
  /** Waits for the end of the exchange: the response was sent, or the client has disconnected. */
  readonly ended: Effect.Effect<"Responded" | "Aborted">
}

/** Responds to one request; interrupted if the client disconnects. */
export type UpstreamHandler = (request: RecordedRequest, response: ServerResponse) => Effect.Effect<void>
