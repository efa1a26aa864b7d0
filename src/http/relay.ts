import * as Cookies from "effect/http/Cookies"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { ResponseHead, UpstreamBody } from "../forward/GatewayClient.ts"

/**
 * The lines of `Set-Cookie` as received, one cookie each.
 *
 * Parsing and rewriting them would lose cookies with the same name, unknown attributes and the order; joining them by
 * commas would make them unreadable. A line whose name is not a token is dropped: browsers do not store such a cookie.
 */
const verbatim = (lines: string | ReadonlyArray<string>): Cookies.Cookies => {
  const cookies: Record<number, Cookies.Cookie> = {}
  for (const [index, line] of [lines].flat().entries()) {
    const equals = line.indexOf("=")
    if (equals === -1) continue
    const [cookie] = Object.values(Cookies.fromSetCookie(line.slice(0, equals + 1)).cookies)
    if (cookie !== undefined) cookies[index] = Object.assign(cookie, { valueEncoded: line.slice(equals + 1) })
  }
  return Cookies.fromReadonlyRecord(cookies)
}

const split = (received: ResponseHead["headers"]) => {
  const fields: Record<string, string> = {}
  let cookies = Cookies.empty
  for (const [name, value] of Object.entries(received)) {
    if (name === "set-cookie") cookies = verbatim(value)
    else fields[name] = typeof value === "string" ? value : value.join(", ")
  }
  return { cookies, fields }
}

// Effect adds a content type to a body without one, but the server may have left the type out on purpose, as for a 202.
const untyped = ""

// An empty first chunk makes Node send the head at once. An event stream may have no event for hours, while its client
// waits for the head.
const nothing = new Uint8Array(0)

const bodyOf = (body: UpstreamBody): HttpBody.HttpBody => {
  switch (body._tag) {
    case "Empty":
      return HttpBody.empty
    case "Bytes":
      return HttpBody.uint8Array(body.bytes, untyped)
    case "Stream":
      return HttpBody.stream(Stream.prepend(body.stream, [nothing]), untyped)
  }
}

/** Builds the response that is forwarded, with a body that is still arriving. */
export const relay = (
  { headers, status }: ResponseHead,
  body: UpstreamBody
): HttpServerResponse.HttpServerResponse => {
  const { cookies, fields } = split(headers)
  // The fields are set last, because setting a body removes the fields about it.
  const response = HttpServerResponse.setHeaders(
    HttpServerResponse.setBody(HttpServerResponse.empty({ status, cookies }), bodyOf(body)),
    fields
  )
  return "content-type" in fields ? response : HttpServerResponse.removeHeader(response, "content-type")
}
