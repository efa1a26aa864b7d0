/** An event stream whose events a test sends one by one. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { ServerResponse } from "node:http"
import type { UpstreamHandler } from "./RecordedRequest.ts"
import { resetConnection } from "./upstreamResponses.ts"

export interface EventStream {
  /** Responds to a request with this stream; one request at a time. */
  readonly handler: UpstreamHandler
  /** Writes raw text, including the framing of events, and waits until the socket has accepted it. */
  readonly write: (text: string) => Effect.Effect<void>
  /** Writes one `message` event. */
  readonly send: (payload: unknown, id?: string) => Effect.Effect<void>
  /** Ends the response. */
  readonly end: Effect.Effect<void>
  /** Closes the connection in the middle of the response. */
  readonly cut: Effect.Effect<void>
}

/** Sends only the head, so that a test sees what arrives before the first event. */
export const makeEventStream = (
  headers: Readonly<Record<string, string>> = {}
): Effect.Effect<EventStream> =>
  Effect.map(Deferred.make<ServerResponse>(), (opened) => {
    const write = (text: string) =>
      Effect.flatMap(Deferred.await(opened), (response) =>
        Effect.callback<void>((resume) => {
          response.write(text, () => resume(Effect.void))
        }))
    return {
      handler: Effect.fnUntraced(function*(request, response) {
        yield* request.body
        response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache", ...headers })
        response.flushHeaders()
        yield* Deferred.succeed(opened, response)
        return yield* Effect.never
      }),
      write,
      send: (payload, id) =>
        write(`event: message\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(payload)}\n\n`),
      end: Effect.map(Deferred.await(opened), (response) => {
        response.end()
      }),
      cut: Effect.flatMap(Deferred.await(opened), resetConnection)
    }
  })
