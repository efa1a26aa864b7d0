import * as Cookies from "effect/http/Cookies"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { ResponseHead, UpstreamBody } from "../forward/GatewayClient.ts"

/**
 * The lines of `Set-Cookie` as received, one cookie each.
 *
 * If they were parsed and rewritten, cookies of the same name, unknown attributes and the order would be lost; joined
 * by commas they would be unreadable. A line whose name is not a token is left out: browsers do not store such a
 * cookie.
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

// Effect adds a content type to every body without one, which the server may have left out on purpose, as for a 202.
const untyped = ""

// Node sends the head with the first chunk. An event stream may have no events for hours, while its client waits for
// the head.
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

/** The response as Effect writes it, its body still streaming. */
export const relay = (
  { headers, status }: ResponseHead,
  body: UpstreamBody
): HttpServerResponse.HttpServerResponse => {
  const { cookies, fields } = split(headers)
  // The fields come last, because setting a body removes the fields about it.
  const response = HttpServerResponse.setHeaders(
    HttpServerResponse.setBody(HttpServerResponse.empty({ status, cookies }), bodyOf(body)),
    fields
  )
  return "content-type" in fields ? response : HttpServerResponse.removeHeader(response, "content-type")
}
