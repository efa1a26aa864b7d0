/** Requests and responses of the Web platform, before and after the handler. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { UpstreamBody } from "../forward/GatewayClient.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Admitted, GuardResult } from "./Admitted.ts"
import { type Finish, handlerBrokeOff } from "./finish.ts"

/** The stream of a handler failed. The client sees only that the connection is closed. */
class BrokenOff extends Data.TaggedError("BrokenOff")<{ readonly cause: unknown }> {}

/** The request for the handler: with only the forwarded fields, and with the body even if it was already read. */
export const toHandler = (
  request: Request,
  { body, request: { headers } }: Pick<Admitted<Identity | undefined>, "body" | "request">
): Request => new Request(request, { headers: { ...headers }, ...(body === undefined ? {} : { body: body.slice() }) })

const read = (body: ReadableStream<Uint8Array>): Stream.Stream<Uint8Array, UpstreamUnavailable> =>
  Stream.fromReadableStream<Uint8Array, UpstreamUnavailable>({
    evaluate: () => body,
    onError: handlerBrokeOff
  })

const written = (body: UpstreamBody): ReadableStream<Uint8Array> | null => {
  switch (body._tag) {
    case "Empty":
      return null
    case "Bytes":
      return new Response(new Uint8Array(body.bytes)).body
    case "Stream":
      return Stream.toReadableStream(body.stream)
  }
}

/** A body that ends when its token does. */
const limited = (body: ReadableStream<Uint8Array>, limit: NonNullable<Finish["limit"]>): ReadableStream<Uint8Array> =>
  Stream.toReadableStream(
    limit(Stream.fromReadableStream<Uint8Array, BrokenOff>({
      evaluate: () => body,
      onError: (cause) => new BrokenOff({ cause })
    }))
  )

/** The response of the handler, completed with fields, filtered lists, and an end. */
export const finished = async (
  response: Response,
  { finish }: Pick<Admitted<Identity | undefined>, "finish">
): Promise<Response> => {
  // `Response.error()`, and the response of an upgraded connection, cannot be changed.
  if (response.status < 200) return response
  const { headers } = response
  const { fields, limit, lists } = await Effect.runPromise(
    finish(response.status, (name) => headers.get(name) ?? undefined)
  )
  const filtered = lists === undefined || response.body === null
    ? undefined
    : await Effect.runPromise(lists({ _tag: "Stream", stream: read(response.body) }))
  if (filtered?._tag === "Responded") return HttpServerResponse.toWeb(filtered.response)
  const body = filtered === undefined ? response.body : written(filtered.body)
  // A new response, because the headers of some responses (a `fetch`, a redirect) are immutable.
  const completed = new Response(
    limit === undefined || body === null ? body : limited(body, limit),
    response
  )
  if (filtered !== undefined) completed.headers.delete("content-length")
  for (const [name, value] of Object.entries(fields)) completed.headers.set(name, value)
  return completed
}

export const webResponse = (
  { method }: Request,
  { response }: Extract<GuardResult, { readonly _tag: "Responded" }>
): Response => HttpServerResponse.toWeb(response, { withoutBody: method === "HEAD" })
