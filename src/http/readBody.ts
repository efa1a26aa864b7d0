import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import { InvalidRequest, PayloadTooLarge, UnsupportedMediaType } from "../errors/GatewayError.ts"

const writing: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"])

// No two repetitions that could share the same blanks: matching stays linear.
const json = /^application\/json(?:[\t ]*;[\t ]*charset=(?:utf-8|"utf-8"))?[\t ]*;?$/i

const unreadable = (detail: string) => new InvalidRequest({ reason: "MalformedMessage", detail })

/** Says whether the fields of a request announce a body (RFC 9112, section 6.3). */
export const announcesBody = (headers: HttpServerRequest.HttpServerRequest["headers"]): boolean =>
  headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0"

/** Framing that this server reads in one way and another may read in another, although the platform let it pass. */
const misleadingFraming = (headers: HttpServerRequest.HttpServerRequest["headers"]): InvalidRequest | undefined => {
  const coding = headers["transfer-encoding"]
  const detail = coding !== undefined && coding.toLowerCase() !== "chunked"
    ? "a transfer coding other than chunked"
    // Servers that put fields into variables take these for the true ones.
    : headers["content_length"] !== undefined || headers["transfer_encoding"] !== undefined
    ? "a framing field written with an underscore"
    : undefined
  return detail === undefined ? undefined : new InvalidRequest({ reason: "MalformedHeader", detail })
}

const refuseMediaType = (headers: HttpServerRequest.HttpServerRequest["headers"]): UnsupportedMediaType | undefined => {
  const encoding = headers["content-encoding"]?.trim().toLowerCase()
  if (encoding !== undefined && encoding !== "identity") {
    return new UnsupportedMediaType({ detail: "the body has a Content-Encoding" })
  }
  return json.test((headers["content-type"] ?? "").trim())
    ? undefined
    : new UnsupportedMediaType({ detail: "the Content-Type is not application/json in UTF-8" })
}

/**
 * How the platform reads a body of known, small length, where it has a quicker way than the request's own.
 *
 * The request itself cannot be asked for the body afterwards.
 */
export const ReadShortBody = Context.Reference<
  ((request: HttpServerRequest.HttpServerRequest) => Effect.Effect<Uint8Array, "BrokenOff">) | undefined
>("mcp-authorizer/http/ReadShortBody", { defaultValue: () => undefined })

const shortBytes = 64 * 1024

/** Reads with a limit: the one that the server was given, or our own where it has none or a larger one. */
const bounded = <A, E>(read: Effect.Effect<A, E>, limit: number): Effect.Effect<A, E> =>
  Effect.withFiber((fiber) => {
    const given = fiber.getRef(HttpIncomingMessage.MaxBodySize)
    // A service for every request would have all others copied.
    return given !== undefined && Number(given) <= limit
      ? read
      : Effect.provideService(read, HttpIncomingMessage.MaxBodySize, ByteSize.bytes(limit))
  })

const readAny = (request: HttpServerRequest.HttpServerRequest, limit: number) =>
  bounded(request.arrayBuffer, limit).pipe(
    Effect.mapError((error) =>
      error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"
        ? new PayloadTooLarge({ limit })
        : unreadable("the body broke off")
    ),
    Effect.map((buffer) => new Uint8Array(buffer))
  )

/**
 * Reads a request's body whole, at most `limit` bytes of it; `undefined` when there is none.
 *
 * A message is judged before any of it goes upstream, so it cannot be streamed through. A body on `GET` or `HEAD` is
 * refused: servers disagree on whether it exists.
 */
export const readBody = (
  request: HttpServerRequest.HttpServerRequest,
  limit: number
): Effect.Effect<Uint8Array | undefined, InvalidRequest | PayloadTooLarge | UnsupportedMediaType> => {
  const { headers, method } = request
  const misleading = misleadingFraming(headers)
  if (misleading !== undefined) return Effect.fail(misleading)
  const declared = headers["content-length"]
  const announced = announcesBody(headers)
  if (method === "GET" || method === "HEAD") {
    return announced ? Effect.fail(unreadable("a body on GET or HEAD")) : Effect.undefined
  }
  if (!announced && !writing.has(method)) return Effect.undefined
  const refused = refuseMediaType(headers)
  if (refused !== undefined) return Effect.fail(refused)
  if (Number(declared ?? 0) > limit) return Effect.fail(new PayloadTooLarge({ limit }))
  return Effect.withFiber((fiber) => {
    const readShort = fiber.getRef(ReadShortBody)
    return readShort !== undefined && declared !== undefined && Number(declared) <= shortBytes &&
        headers["expect"] === undefined
      ? Effect.mapError(readShort(request), () => unreadable("the body broke off"))
      : readAny(request, limit)
  })
}
