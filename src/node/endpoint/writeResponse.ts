import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { ServerResponse } from "node:http"

/** Writes a response of the gateway's own, with a short body or without one. */
export const writeResponse = (
  to: ServerResponse,
  { body, headers, status }: HttpServerResponse.HttpServerResponse
): void => {
  to.writeHead(status, headers)
  if (body._tag === "Uint8Array") to.end(body.body)
  else to.end()
}
