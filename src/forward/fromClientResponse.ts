import * as Effect from "effect/Effect"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import { anonymous } from "../errors/anonymous.ts"
import { type UpstreamError, UpstreamTimeout, UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { UpstreamBody, UpstreamResponse } from "./GatewayClient.ts"
import { isBodiless, isShort } from "./responseLength.ts"

const timeouts: ReadonlySet<string> = new Set(["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "ETIMEDOUT"])

/** The platform's code of an error, if it has one. Its message may quote what the upstream sent. */
const code = ({ cause, reason }: HttpClientError.HttpClientError): string => {
  // `fetch` hides the true cause behind "fetch failed".
  const inner = cause instanceof Error ? cause.cause ?? cause : cause
  return Predicate.hasProperty(inner, "code") && typeof inner.code === "string" ? inner.code : reason._tag
}

/**
 * Converts an error of Effect's `HttpClient` to a typed error, without any content of the request or response.
 *
 * @param timeoutMillis `MCP_UPSTREAM_TIMEOUT`, which the error names if one of the platform's own timeouts was hit
 */
export const fromClientError = (timeoutMillis: number) => (error: HttpClientError.HttpClientError): UpstreamError => {
  const what = code(error)
  return timeouts.has(what)
    ? new UpstreamTimeout({ millis: timeoutMillis })
    : new UpstreamUnavailable({
      detail: `the MCP server cannot be reached or broke off (${what})`,
      cause: anonymous(error)
    })
}

/** Returns all `Set-Cookie` values; Effect's `Headers` keep only the last one, or all in one line. */
const setCookies = (response: HttpClientResponse.HttpClientResponse): ReadonlyArray<string> =>
  Option.match(HttpClientResponse.toWeb(response), {
    onSome: ({ headers }) => headers.getSetCookie(),
    // A comma before a name and `=` begins the next cookie; a comma in a date is not followed by these.
    onNone: () => response.headers["set-cookie"]?.split(/, (?=[^\s=;,]+=)/) ?? []
  })

const headersOf = (response: HttpClientResponse.HttpClientResponse): UpstreamResponse["headers"] => {
  const cookies = setCookies(response)
  return cookies.length > 1 ? { ...response.headers, "set-cookie": cookies } : { ...response.headers }
}

const isEncoded = ({ headers }: HttpClientResponse.HttpClientResponse): boolean =>
  !["", "identity"].includes(headers["content-encoding"]?.trim().toLowerCase() ?? "")

/** Returns why a response cannot be forwarded; `undefined` if it can. */
const unusable = (response: HttpClientResponse.HttpClientResponse, bodiless: boolean): string | undefined => {
  // In browsers, and in platforms that follow them, `fetch` reports an unfollowed redirect like this.
  if (response.status === 0) return "the MCP server redirects"
  if (response.status < 200) return `the MCP server responds with the status ${response.status}`
  return !bodiless && isEncoded(response)
    ? "the MCP server encodes a response that was requested without encoding"
    : undefined
}

const whole = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.map(
    response.arrayBuffer,
    (buffer): UpstreamBody =>
      buffer.byteLength === 0 ? { _tag: "Empty" } : { _tag: "Bytes", bytes: new Uint8Array(buffer) }
  )

const arriving = (response: HttpClientResponse.HttpClientResponse, timeoutMillis: number): UpstreamBody => ({
  _tag: "Stream",
  stream: response.stream.pipe(
    // On some platforms, `fetch` reports an empty body like this.
    Stream.catchReason("HttpClientError", "EmptyBodyError", () => Stream.empty),
    Stream.mapError(fromClientError(timeoutMillis))
  )
})

/**
 * Converts a response to the gateway's own type. Waits for a short body, and streams a longer one.
 *
 * Fails with `UpstreamUnavailable` if the response cannot be forwarded. That includes an encoded response, because it
 * is unknown whether its body still matches its fields.
 */
export const fromClientResponse = Effect.fnUntraced(function*(
  method: string,
  response: HttpClientResponse.HttpClientResponse,
  timeoutMillis: number
): Effect.fn.Return<UpstreamResponse, UpstreamError> {
  const bodiless = isBodiless(method, response.status)
  const detail = unusable(response, bodiless)
  if (detail !== undefined) return yield* new UpstreamUnavailable({ detail })
  const headers = headersOf(response)
  const body = bodiless || isShort(headers)
    ? yield* Effect.mapError(whole(response), fromClientError(timeoutMillis))
    : arriving(response, timeoutMillis)
  return { status: response.status, headers, body }
})
