/** Which requests may be sent twice (RFC 9110, section 9.2.2). Pure. */
import { repeatableMethods } from "../message/clientMethods.ts"
import type { UpstreamRequest } from "./GatewayClient.ts"

const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE"])

// MCP methods that only read, or that may be repeated. A second `initialize` opens a second session, which remains
// unused; a second `tools/call` may do anything.
const asking: ReadonlySet<string> = new Set([
  ...repeatableMethods,
  "notifications/cancelled",
  "notifications/initialized",
  "notifications/roots/list_changed"
])

const asks = (message: unknown): boolean =>
  typeof message === "object" && message !== null && "method" in message && typeof message.method === "string" &&
  asking.has(message.method)

const read = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}

/**
 * Returns whether a request may be sent again although the MCP server may have received it.
 *
 * Depends on the HTTP method or, if the request has a message, on the method of the message. The message has been
 * checked before, so all parsers agree on it.
 */
export const isRepeatable = ({ body, method }: Pick<UpstreamRequest, "body" | "method">): boolean => {
  if (idempotent.has(method)) return true
  if (method !== "POST" || body === undefined) return false
  const message = read(body)
  return Array.isArray(message) ? message.length > 0 && message.every(asks) : asks(message)
}
