import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** Builds a JSON response that no browser interprets as another type. */
export const jsonResponse = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>>
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(body, { status, headers: { "x-content-type-options": "nosniff", ...headers } })
