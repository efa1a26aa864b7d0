// RFC 9110, section 7.6.1; fields that older proxies treat alike; and the WebSocket handshake, in which browsers put
// tokens.
const fixed: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-key",
  "sec-websocket-protocol",
  "sec-websocket-version",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

/** The fields that the `Connection` value of a message names, in lower case. */
const named = (connection: string): ReadonlyArray<string> =>
  connection.split(",").map((name) => name.trim().toLowerCase())

/**
 * Returns which fields of a message apply to this hop only and must not be forwarded.
 *
 * @param connection the message's own `Connection` value, whose names count as well
 * @see RFC 9110, section 7.6.1
 */
export const hopByHop = (connection: string | undefined): (name: string) => boolean => {
  if (connection === undefined || connection === "keep-alive" || connection === "close") {
    return (name) => fixed.has(name)
  }
  const also = new Set(named(connection))
  return (name) => fixed.has(name) || also.has(name)
}
