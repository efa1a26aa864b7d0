/** Which body to expect for a request, given its head. Pure. */
import * as Result from "effect/Result"
import { InvalidRequest, PayloadTooLarge, UnsupportedMediaType } from "../errors/GatewayError.ts"
import { isJson } from "./mediaType.ts"
import type { RequestHead } from "./requestHead.ts"

const writing: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"])

const unreadable = (detail: string) => new InvalidRequest({ reason: "MalformedMessage", detail })

export type BodyRejected = InvalidRequest | PayloadTooLarge | UnsupportedMediaType

export type ExpectedBody =
  | { readonly _tag: "None" }
  /**
   * No body is expected, which shows only once the message ends: proxies send `Transfer-Encoding: chunked` and then no
   * chunk (RFC 9112, section 6.3). Content is rejected with this error.
   */
  | { readonly _tag: "NoContent"; readonly rejected: BodyRejected }
  | {
    readonly _tag: "Message"
    /** Whether the method works without a body, so that an empty body counts as none. */
    readonly mayBeEmpty: boolean
  }

const none: ExpectedBody = { _tag: "None" }
const message: ExpectedBody = { _tag: "Message", mayBeEmpty: false }
const perhapsMessage: ExpectedBody = { _tag: "Message", mayBeEmpty: true }

const isChunked = (headers: RequestHead["headers"]): boolean => headers["transfer-encoding"] !== undefined

const hasLength = (headers: RequestHead["headers"]): boolean => !/^0*$/.test(headers["content-length"] ?? "0")

/** Returns the error for framing that the platform accepts, but that other servers may interpret differently. */
const misleadingFraming = (headers: RequestHead["headers"]): InvalidRequest | undefined => {
  const coding = headers["transfer-encoding"]
  const detail = coding !== undefined && coding.toLowerCase() !== "chunked"
    ? "a transfer coding other than chunked"
    // Servers that turn field names into variables (CGI) cannot tell these from the real fields.
    : headers["content_length"] !== undefined || headers["transfer_encoding"] !== undefined
    ? "a framing field written with an underscore"
    : undefined
  return detail === undefined ? undefined : new InvalidRequest({ reason: "MalformedHeader", detail })
}

const requireJson = (headers: RequestHead["headers"]): UnsupportedMediaType | undefined => {
  const encoding = headers["content-encoding"]?.trim().toLowerCase()
  if (encoding !== undefined && encoding !== "identity") {
    return new UnsupportedMediaType({ detail: "the body has a Content-Encoding" })
  }
  return isJson(headers["content-type"] ?? "")
    ? undefined
    : new UnsupportedMediaType({ detail: "the Content-Type is not application/json in UTF-8" })
}

/**
 * Returns which body to expect, given the fields of the request.
 *
 * Content on `GET` or `HEAD` is rejected: servers disagree about whether to read it.
 *
 * @param limit in bytes; a request that declares more is rejected
 */
export const expectsBody = (
  { headers, method }: RequestHead,
  limit: number
): Result.Result<ExpectedBody, BodyRejected> => {
  const misleading = misleadingFraming(headers)
  if (misleading !== undefined) return Result.fail(misleading)
  const writes = writing.has(method)
  const has = hasLength(headers)
  if (!writes && !has && !isChunked(headers)) return Result.succeed(none)
  const rejected = method === "GET" || method === "HEAD"
    ? unreadable(`a body on ${method}`)
    : requireJson(headers)
  if (rejected !== undefined) {
    return writes || has ? Result.fail(rejected) : Result.succeed({ _tag: "NoContent", rejected })
  }
  return Number(headers["content-length"] ?? 0) > limit
    ? Result.fail(new PayloadTooLarge({ limit }))
    : Result.succeed(writes ? message : perhapsMessage)
}
