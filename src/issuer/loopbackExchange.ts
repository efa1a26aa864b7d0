/** The issuer's side of an exchange over a socket. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { IncomingMessage, ServerResponse } from "node:http"
import { maxBodyBytes, type ReceivedRequest } from "./ReceivedRequest.ts"
import type { Disconnected, WireResponse } from "./WireResponse.ts"

const readBody = (request: IncomingMessage): Effect.Effect<string> =>
  Effect.callback<string>((resume) => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    request.on("data", (chunk: Uint8Array) => {
      size += chunk.length
      if (size <= maxBodyBytes) chunks.push(chunk)
    })
    request.on("end", () => resume(Effect.succeed(Buffer.concat(chunks).toString("utf8"))))
  })

export const receive = Effect.fnUntraced(function*(request: IncomingMessage): Effect.fn.Return<ReceivedRequest> {
  const target = request.url ?? "/"
  const mark = target.indexOf("?")
  const headers: Record<string, string> = {}
  for (const [name, values] of Object.entries(request.headersDistinct)) headers[name] = (values ?? []).join(", ")
  return {
    method: request.method ?? "",
    path: mark === -1 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? "" : target.slice(mark + 1)),
    headers,
    body: yield* readBody(request)
  }
})

/** Writes, and waits until the socket accepts more. */
const write = (response: ServerResponse, chunk: Uint8Array): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    response.write(chunk, () => resume(Effect.void))
  })

const sendWhole = Effect.fnUntraced(function*(response: ServerResponse, { body, headers, status }: WireResponse) {
  response.writeHead(status, headers)
  // The head must be sent before waiting for the first piece or closing the socket.
  yield* write(response, new Uint8Array())
  yield* Stream.runForEach(body, (chunk) => write(response, chunk))
  yield* Effect.callback<void>((resume) => {
    response.end(() => resume(Effect.void))
  })
})

/** Sends the response, or closes the socket on `Disconnected`. */
export const send = (
  response: ServerResponse,
  outgoing: Effect.Effect<WireResponse, Disconnected>
): Effect.Effect<void> =>
  outgoing.pipe(
    Effect.flatMap((whole) => sendWhole(response, whole)),
    Effect.catchTag("Disconnected", () => Effect.sync(() => response.socket?.destroy()))
  )
