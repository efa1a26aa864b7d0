import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** A response of the gateway's own: JSON that no browser interprets as anything else. */
export const jsonResponse = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>>
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(body, { status, headers: { "x-content-type-options": "nosniff", ...headers } })
