import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"
import { InvalidRequest, PayloadTooLarge, UnsupportedMediaType } from "../errors/GatewayError.ts"
import type { RequestHead } from "./RequestHead.ts"

const writing: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"])

// No two repetitions that could share the same blanks: matching stays linear.
const json = /^application\/json(?:[\t ]*;[\t ]*charset=(?:utf-8|"utf-8"))?[\t ]*;?$/i

const unreadable = (detail: string) => new InvalidRequest({ reason: "MalformedMessage", detail })

/** Why a body is not read. */
export type BodyRefused = InvalidRequest | PayloadTooLarge | UnsupportedMediaType

/** The connection ended within the body. */
const bodyBrokeOff: InvalidRequest = unreadable("the body broke off")

/** Says whether the fields of a request announce a body (RFC 9112, section 6.3). */
export const announcesBody = (headers: RequestHead["headers"]): boolean =>
  headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0"

/** Framing that this server reads in one way and another may read in another, although the platform let it pass. */
const misleadingFraming = (headers: RequestHead["headers"]): InvalidRequest | undefined => {
  const coding = headers["transfer-encoding"]
  const detail = coding !== undefined && coding.toLowerCase() !== "chunked"
    ? "a transfer coding other than chunked"
    // Servers that put fields into variables take these for the true ones.
    : headers["content_length"] !== undefined || headers["transfer_encoding"] !== undefined
    ? "a framing field written with an underscore"
    : undefined
  return detail === undefined ? undefined : new InvalidRequest({ reason: "MalformedHeader", detail })
}

const refuseMediaType = (headers: RequestHead["headers"]): UnsupportedMediaType | undefined => {
  const encoding = headers["content-encoding"]?.trim().toLowerCase()
  if (encoding !== undefined && encoding !== "identity") {
    return new UnsupportedMediaType({ detail: "the body has a Content-Encoding" })
  }
  return json.test((headers["content-type"] ?? "").trim())
    ? undefined
    : new UnsupportedMediaType({ detail: "the Content-Type is not application/json in UTF-8" })
}

/**
 * Says whether a request brings a message, judged by its fields alone.
 *
 * A body on `GET` or `HEAD` is refused: servers disagree on whether it exists.
 *
 * @param limit bytes; a body that declares more is refused
 */
export const expectsBody = (
  { headers, method }: RequestHead,
  limit: number
): Result.Result<boolean, BodyRefused> => {
  const misleading = misleadingFraming(headers)
  if (misleading !== undefined) return Result.fail(misleading)
  const announced = announcesBody(headers)
  if (method === "GET" || method === "HEAD") {
    return announced ? Result.fail(unreadable("a body on GET or HEAD")) : Result.succeed(false)
  }
  if (!announced && !writing.has(method)) return Result.succeed(false)
  const refused = refuseMediaType(headers)
  if (refused !== undefined) return Result.fail(refused)
  return Number(headers["content-length"] ?? 0) > limit
    ? Result.fail(new PayloadTooLarge({ limit }))
    : Result.succeed(true)
}

/**
 * Reads a request's body whole, at most `limit` bytes of it; `undefined` when there is none.
 *
 * A message is judged before any of it goes upstream, so it cannot be streamed through.
 */
export const readBody = (
  request: HttpServerRequest.HttpServerRequest,
  limit: number
): Effect.Effect<Uint8Array | undefined, BodyRefused> => {
  const expected = expectsBody(request, limit)
  if (Result.isFailure(expected)) return Effect.fail(expected.failure)
  if (!expected.success) return Effect.undefined
  return request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(limit)),
    Effect.mapError((error) =>
      error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"
        ? new PayloadTooLarge({ limit })
        : bodyBrokeOff
    ),
    Effect.map((buffer) => new Uint8Array(buffer))
  )
}
