import * as Cookies from "effect/http/Cookies"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { UpstreamResponse } from "../forward/GatewayClient.ts"

const split = (received: UpstreamResponse["headers"]) => {
  const headers: Record<string, string> = {}
  let cookies = Cookies.empty
  for (const [name, value] of Object.entries(received)) {
    // One field line a cookie: joined by commas they could not be read.
    if (name === "set-cookie") cookies = Cookies.fromSetCookie(value)
    else headers[name] = typeof value === "string" ? value : value.join(", ")
  }
  return { headers, cookies }
}

/** Turns the MCP server's answer into ours, its body still streaming. */
export const relay = (response: UpstreamResponse): HttpServerResponse.HttpServerResponse => {
  const { status } = response
  const { cookies, headers } = split(response.headers)
  switch (response.body._tag) {
    case "Empty":
      return HttpServerResponse.empty({ status, headers, cookies })
    case "Bytes":
      return HttpServerResponse.uint8Array(response.body.bytes, { status, headers, cookies })
    case "Stream":
      return HttpServerResponse.stream(response.body.stream, { status, headers, cookies })
  }
}
