/**
 * A stand-in for an MCP server that records every request byte for byte, and responds as a test configures.
 *
 * Real HTTP on the loopback interface. `upstreamResponses.ts` contains handlers.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import type { RecordedRequest, UpstreamHandler } from "./RecordedRequest.ts"
import { jsonRpc } from "./upstreamResponses.ts"

export interface RecordingUpstream {
  /** `http://127.0.0.1:<port>`, without a slash. */
  readonly origin: string
  /** The requests so far, oldest first. */
  readonly requests: () => ReadonlyArray<RecordedRequest>
  /** Waits for this many requests, and returns the last one. */
  readonly awaitRequest: (count?: number) => Effect.Effect<RecordedRequest>
  /** Responds with this handler from now on. */
  readonly respondWith: (handler: UpstreamHandler) => Effect.Effect<void>
  /** Forgets all requests and responds with `jsonRpc` again. */
  readonly reset: Effect.Effect<void>
}

const valuesOf = (rawHeaders: ReadonlyArray<string>, name: string): ReadonlyArray<string> =>
  rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase())

/** Starts an upstream that stops with its scope. */
export const makeRecordingUpstream: Effect.Effect<RecordingUpstream, never, Scope.Scope> = Effect.gen(function*() {
  let handler: UpstreamHandler = jsonRpc
  let recorded: Array<RecordedRequest> = []
  let waiters: Array<{ readonly count: number; readonly done: Deferred.Deferred<void> }> = []

  const { origin } = yield* listen(
    Effect.fnUntraced(function*(incoming, response) {
      const chunks: Array<Uint8Array> = []
      const body = yield* Deferred.make<Uint8Array>()
      const ended = yield* Deferred.make<"Responded" | "Aborted">()
      incoming.on("data", (chunk: Uint8Array) => {
        chunks.push(chunk)
      })
      incoming.on("end", () => Deferred.doneUnsafe(body, Effect.succeed(Buffer.concat(chunks))))
      response.on(
        "close",
        () => Deferred.doneUnsafe(ended, Effect.succeed(response.writableFinished ? "Responded" : "Aborted"))
      )
      const request: RecordedRequest = {
        method: incoming.method ?? "",
        url: incoming.url ?? "",
        httpVersion: incoming.httpVersion,
        rawHeaders: [...incoming.rawHeaders],
        headers: (name) => valuesOf(incoming.rawHeaders, name),
        body: Deferred.await(body),
        received: () => Buffer.concat(chunks),
        ended: Deferred.await(ended)
      }
      recorded.push(request)
      const ready = waiters.filter(({ count }) => recorded.length >= count)
      waiters = waiters.filter(({ count }) => recorded.length < count)
      for (const { done } of ready) yield* Deferred.succeed(done, undefined)
      yield* handler(request, response)
    }),
    // Larger than the gateway's own limit, so that everything that the gateway forwards can arrive.
    { maxHeaderSize: 256 * 1024 }
  )

  const awaitRequest = Effect.fnUntraced(function*(count = 1): Effect.fn.Return<RecordedRequest> {
    const request = recorded[count - 1]
    if (request !== undefined) return request
    const done = yield* Deferred.make<void>()
    waiters.push({ count, done })
    yield* Deferred.await(done)
    return yield* awaitRequest(count)
  })

  return {
    origin,
    requests: () => [...recorded],
    awaitRequest,
    respondWith: (next) =>
      Effect.sync(() => {
        handler = next
      }),
    reset: Effect.sync(() => {
      handler = jsonRpc
      recorded = []
    })
  }
})
