import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import { InvalidRequest, PayloadTooLarge, UnsupportedMediaType } from "../errors/GatewayError.ts"

const writing: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"])

const json = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?;?\s*$/i

const unreadable = (detail: string) => new InvalidRequest({ reason: "MalformedMessage", detail })

const refuseMediaType = (headers: HttpServerRequest.HttpServerRequest["headers"]): UnsupportedMediaType | undefined => {
  const encoding = headers["content-encoding"]?.trim().toLowerCase()
  if (encoding !== undefined && encoding !== "identity") {
    return new UnsupportedMediaType({ detail: "the body has a Content-Encoding" })
  }
  return json.test(headers["content-type"] ?? "")
    ? undefined
    : new UnsupportedMediaType({ detail: "the Content-Type is not application/json in UTF-8" })
}

/**
 * Reads a request's body whole, at most `limit` bytes of it; `undefined` when there is none.
 *
 * A message is judged before any of it goes upstream, so it cannot be streamed through. A body on `GET` or `HEAD` is
 * refused: servers disagree on whether it exists. So is a transfer coding beside `chunked` (Node's parser lets `gzip,
 * chunked` and `identity, chunked` pass).
 */
export const readMessage = (
  request: HttpServerRequest.HttpServerRequest,
  limit: number
): Effect.Effect<Uint8Array | undefined, InvalidRequest | PayloadTooLarge | UnsupportedMediaType> => {
  const { headers, method } = request
  const coding = headers["transfer-encoding"]
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    const detail = "a transfer coding other than chunked"
    return Effect.fail(new InvalidRequest({ reason: "MalformedHeader", detail }))
  }
  const declared = headers["content-length"]
  const announced = coding !== undefined || (declared !== undefined && declared !== "0")
  if (method === "GET" || method === "HEAD") {
    return announced ? Effect.fail(unreadable("a body on GET or HEAD")) : Effect.succeed(undefined)
  }
  if (!announced && !writing.has(method)) return Effect.succeed(undefined)
  const refused = refuseMediaType(headers)
  if (refused !== undefined) return Effect.fail(refused)
  if (Number(declared ?? 0) > limit) return Effect.fail(new PayloadTooLarge({ limit }))
  return request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(limit)),
    Effect.mapError((error) =>
      error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"
        ? new PayloadTooLarge({ limit })
        : unreadable("the body broke off")
    ),
    Effect.map((buffer) => new Uint8Array(buffer))
  )
}
