import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { ServerResponse } from "node:http"

/** Writes an answer of the gateway's own: a short body, or none. */
export const writeOwn = (
  to: ServerResponse,
  { body, headers, status }: HttpServerResponse.HttpServerResponse
): void => {
  to.writeHead(status, headers)
  if (body._tag === "Uint8Array") to.end(body.body)
  else to.end()
}
