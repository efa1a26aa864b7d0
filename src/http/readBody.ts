import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"
import { InvalidRequest, PayloadTooLarge, UnsupportedMediaType } from "../errors/GatewayError.ts"
import { isJson } from "./mediaType.ts"
import type { RequestHead } from "./RequestHead.ts"

const writing: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"])

const unreadable = (detail: string) => new InvalidRequest({ reason: "MalformedMessage", detail })

/** Why a body is not read. */
export type BodyRefused = InvalidRequest | PayloadTooLarge | UnsupportedMediaType

/** The connection ended within the body. */
const bodyBrokeOff: InvalidRequest = unreadable("the body broke off")

/** What a request brings, as far as its fields tell. */
export type ExpectedBody =
  | { readonly _tag: "None" }
  /**
   * None, but that shows only at its end: proxies send `Transfer-Encoding: chunked` and then no chunk (RFC 9112, section
   * 6.3). Content is refused in this way.
   */
  | { readonly _tag: "NoContent"; readonly refused: BodyRefused }
  | {
    readonly _tag: "Message"
    /** The method needs none, so that an empty one is none. */
    readonly mayBeEmpty: boolean
  }

const none: ExpectedBody = { _tag: "None" }
const message: ExpectedBody = { _tag: "Message", mayBeEmpty: false }
const perhapsMessage: ExpectedBody = { _tag: "Message", mayBeEmpty: true }

const isChunked = (headers: RequestHead["headers"]): boolean => headers["transfer-encoding"] !== undefined

const hasLength = (headers: RequestHead["headers"]): boolean => !/^0*$/.test(headers["content-length"] ?? "0")

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
  return isJson(headers["content-type"] ?? "")
    ? undefined
    : new UnsupportedMediaType({ detail: "the Content-Type is not application/json in UTF-8" })
}

/**
 * Says what a request brings, judged by its fields alone.
 *
 * Content on `GET` or `HEAD` is refused: servers disagree on whether it exists.
 *
 * @param limit bytes; a body that declares more is refused
 */
export const expectsBody = (
  { headers, method }: RequestHead,
  limit: number
): Result.Result<ExpectedBody, BodyRefused> => {
  const misleading = misleadingFraming(headers)
  if (misleading !== undefined) return Result.fail(misleading)
  const writes = writing.has(method)
  const has = hasLength(headers)
  if (!writes && !has && !isChunked(headers)) return Result.succeed(none)
  const refused = method === "GET" || method === "HEAD"
    ? unreadable("a body on GET or HEAD")
    : refuseMediaType(headers)
  if (refused !== undefined) {
    return writes || has ? Result.fail(refused) : Result.succeed({ _tag: "NoContent", refused })
  }
  return Number(headers["content-length"] ?? 0) > limit
    ? Result.fail(new PayloadTooLarge({ limit }))
    : Result.succeed(writes ? message : perhapsMessage)
}

const collect = (
  request: HttpServerRequest.HttpServerRequest,
  limit: number,
  tooLarge: BodyRefused
): Effect.Effect<Uint8Array, BodyRefused> =>
  request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(limit)),
    Effect.mapError((error) =>
      error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge" ? tooLarge : bodyBrokeOff
    ),
    Effect.map((buffer) => new Uint8Array(buffer))
  )

/**
 * Reads a request to its end, and refuses content in this way.
 *
 * For methods whose requests bring none, however they are framed.
 */
export const readNoContent = (
  request: HttpServerRequest.HttpServerRequest,
  refused: BodyRefused
): Effect.Effect<undefined, BodyRefused> =>
  Effect.flatMap(collect(request, 1, refused), ({ length }) => length === 0 ? Effect.undefined : Effect.fail(refused))

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
  const body = expected.success
  switch (body._tag) {
    case "None":
      return Effect.undefined
    case "NoContent":
      return readNoContent(request, body.refused)
    case "Message":
      return Effect.map(
        collect(request, limit, new PayloadTooLarge({ limit })),
        (bytes) => bytes.length === 0 && body.mayBeEmpty ? undefined : bytes
      )
  }
}
