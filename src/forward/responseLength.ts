/** The length of a response's body, given its head. */
import type { UpstreamResponse } from "./GatewayClient.ts"

// A response up to this length, in bytes, is collected and sent with its head in one write.
const collectedLength = 64 * 1024

/**
 * Returns whether a response has no body, regardless of its `Content-Length`.
 *
 * @see RFC 9112, section 6.3
 */
export const isBodiless = (method: string, status: number): boolean =>
  method === "HEAD" || status === 204 || status === 304

/** Returns whether a response is short enough to wait for its end. */
export const isShort = (headers: UpstreamResponse["headers"]): boolean => {
  const value = headers["content-length"]
  return typeof value === "string" && Number(value) <= collectedLength
}
