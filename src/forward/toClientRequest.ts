import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import type { UpstreamRequest } from "./GatewayClient.ts"

/** Decodes percent-encoding, one character for each byte. */
const unescaped = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/**
 * The URL of a target; `undefined` if the URL parser would change the target.
 *
 * Parsers percent-encode some characters, which does not change the meaning. They also remove dot segments and
 * fragments, and turn backslashes into slashes: the server would then get another target than the one that was
 * authorized.
 */
const urlOf = (origin: string, target: string): string | undefined => {
  const url = target.startsWith("/") && URL.canParse(origin + target) ? new URL(origin + target) : undefined
  return url !== undefined && unescaped(url.pathname + url.search) === unescaped(target) ? url.href : undefined
}

/** Converts a request for Effect's `HttpClient`; `undefined` if its target cannot be part of a URL. */
export const toClientRequest = (
  origin: string,
  { body, headers, method, target }: UpstreamRequest
): HttpClientRequest.HttpClientRequest | undefined => {
  const url = urlOf(origin, target)
  if (url === undefined) return undefined
  // `fetch` decodes known encodings, and then the fields do not match the body.
  const sent: Record<string, string> = { ...headers, "accept-encoding": "identity" }
  // Without this field, `node:http` would write the body of a `DELETE` without framing.
  if (body !== undefined) sent["content-length"] = String(body.length)
  return HttpClientRequest.makeWith(
    method,
    url,
    UrlParams.empty,
    Option.none(),
    Headers.fromInput(sent),
    body === undefined ? HttpBody.empty : HttpBody.uint8Array(body)
  )
}
