/** A request that a test peer received, kept so that a test can look at it. */
import * as Effect from "effect/Effect"
import type { IncomingMessage } from "node:http"

export interface ReceivedRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Lower-case names; repeated fields joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** As UTF-8; what comes after the first MiB is left out. */
  readonly body: string
}

// Far more than any form that an issuer is sent.
const maxBodyBytes = 1_048_576

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
