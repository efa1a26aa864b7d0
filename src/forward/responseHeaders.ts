import type { UpstreamResponse } from "./GatewayClient.ts"
import { hopByHop } from "./hopByHop.ts"
import { isEventStream } from "./isEventStream.ts"

/** The field that controls whether proxies buffer a response (nginx, `proxy_buffering`). */
export const bufferingField = "x-accel-buffering"

const nothing: Readonly<Record<string, string>> = {}
const unbuffered: Readonly<Record<string, string>> = { [bufferingField]: "no" }

/**
 * Fields that keep proxies from buffering an event stream, unless its server sends the field itself.
 *
 * @param own the value of that field in the server's response
 */
export const streamFields = (contentType: unknown, own: unknown): Readonly<Record<string, string>> =>
  own === undefined && isEventStream(contentType) ? unbuffered : nothing

/**
 * The fields of the MCP server's response that are forwarded to the client: all except hop-by-hop fields,
 * `Access-Control-*` (the gateway decides about origins) and challenges (the gateway is the resource server).
 *
 * Shared caches must not store a response to an authenticated request, so `Cache-Control: no-store` is added if the
 * server sends no `Cache-Control`. `X-Accel-Buffering: no` tells nginx, and proxies that follow its example, not to
 * buffer an event stream.
 */
export const responseHeaders = (
  received: UpstreamResponse["headers"]
): Record<string, string | ReadonlyArray<string>> => {
  const connection = received["connection"]
  const isHopByHop = hopByHop(typeof connection === "string" ? connection : connection?.join(","))
  const headers: Record<string, string | ReadonlyArray<string>> = { "cache-control": "no-store" }
  for (const name of Object.keys(received)) {
    const value = received[name]
    if (value === undefined || isHopByHop(name)) continue
    if (name.startsWith("access-control-") || name === "www-authenticate") continue
    headers[name] = value
  }
  return Object.assign(headers, streamFields(headers["content-type"], headers[bufferingField]))
}
