/** Reads a response piece by piece while it is still being sent. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type IncomingMessage, request } from "node:http"

export interface OpenResponse {
  readonly status: number
  /** Every value of a header; `name` in any case. */
  readonly headers: (name: string) => ReadonlyArray<string>
  /** Waits for this many further bytes; returns fewer if the response ends before. */
  readonly take: (bytes: number) => Effect.Effect<string>
  /** Waits for the end, and returns whether the response was complete. */
  readonly ended: Effect.Effect<"Complete" | "Broken">
  /** Closes the connection in the middle of the response. */
  readonly leave: Effect.Effect<void>
}

export interface OpenRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const reader = (incoming: IncomingMessage) => {
  const ended = Deferred.makeUnsafe<"Complete" | "Broken">()
  let buffered = Buffer.alloc(0)
  let waiting: (() => void) | undefined
  const wake = () => waiting?.()
  incoming.on("data", (chunk: Uint8Array) => {
    buffered = Buffer.concat([buffered, chunk])
    wake()
  })
  // Some tests wait for a connection that is closed early.
  incoming.on("error", () => undefined)
  incoming.on("close", () => {
    Deferred.doneUnsafe(ended, Effect.succeed(incoming.complete ? "Complete" : "Broken"))
    wake()
  })
  const take = (bytes: number) =>
    Effect.callback<string>((resume) => {
      const attempt = () => {
        if (buffered.length < bytes && !incoming.closed) return
        waiting = undefined
        const taken = buffered.subarray(0, bytes)
        buffered = buffered.subarray(bytes)
        resume(Effect.succeed(taken.toString()))
      }
      waiting = attempt
      attempt()
    })
  return { ended: Deferred.await(ended), take }
}

/**
 * Sends a request on a new connection, and waits only for the head of the response.
 *
 * Interrupting it, or closing the scope, closes the connection. Dies if there is no response.
 */
export const openResponse = (
  url: string,
  { body, headers = {}, method = "POST" }: OpenRequest = {}
): Effect.Effect<OpenResponse, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<{ readonly incoming: IncomingMessage; readonly leave: Effect.Effect<void> }>((resume) => {
      const outgoing = request(url, { method, headers, agent: false })
      const leave = Effect.sync(() => {
        outgoing.destroy()
      })
      outgoing.on("error", (cause) => resume(Effect.die(cause)))
      outgoing.on("response", (incoming) => resume(Effect.succeed({ incoming, leave })))
      outgoing.end(body)
      return leave
    }),
    ({ leave }) => leave,
    { interruptible: true }
  ).pipe(
    Effect.map(({ incoming, leave }) => {
      const { ended, take } = reader(incoming)
      return {
        status: incoming.statusCode ?? 0,
        headers: (name: string) => incoming.headersDistinct[name.toLowerCase()] ?? [],
        take,
        ended,
        leave
      }
    })
  )
