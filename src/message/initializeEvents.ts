/** The response to `initialize` as a server-sent event. */
import * as Stream from "effect/Stream"
import { injectAuthInfo } from "./initializeResponse.ts"
import type { RequestId } from "./json/scalarValue.ts"
import { EventFramer } from "./sse/eventFramer.ts"
import { changeData } from "./sse/eventMessage.ts"

export interface InitializeEventsOptions {
  /** The serialised JSON value to put into `result.serverInfo.authInfo`; one line. */
  readonly authInfo: Uint8Array
  /** The id of the `initialize` request. */
  readonly id: RequestId
  /** A longer event is forwarded unread, and so is everything after it. Default: 4 MiB. */
  readonly maxEventBytes?: number
}

const defaultMaxEventBytes = 4 * 1024 * 1024

/** Sets `result.serverInfo.authInfo` in the first event that contains the response, chunk by chunk. */
export const makeInitializeFramer = (options: InitializeEventsOptions): EventFramer => {
  const { authInfo, id, maxEventBytes = defaultMaxEventBytes } = options
  return new EventFramer((event) => changeData(event, (data) => injectAuthInfo(data, authInfo, id)), maxEventBytes)
}

/**
 * Sets `result.serverInfo.authInfo` in the first event that contains the response to `initialize`.
 *
 * Use it on the body of a `text/event-stream` response to that request. Each event is forwarded as soon as it is
 * complete. Only the event with the response is changed; after it, chunks are forwarded as they arrive. The stream
 * fails only if its source does.
 *
 * Source: MCP 2025-11-25, Streamable HTTP, "Sending Messages to the Server".
 */
export const initializeEvents =
  (options: InitializeEventsOptions) =>
  <E, R>(self: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E, R> =>
    Stream.mapAccum(
      self,
      () => makeInitializeFramer(options),
      (framer, chunk) => [framer, framer.push(chunk)] as const,
      { onHalt: (framer) => framer.end() }
    )
