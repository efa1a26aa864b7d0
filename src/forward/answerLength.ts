/** What the head of an answer says about the length of its body. */
import type { UpstreamResponse } from "./GatewayClient.ts"

// An answer up to this length is collected and sent with its head in one write.
const collectedLength = 64 * 1024

/**
 * Says whether an answer has no body, whatever its `Content-Length`.
 *
 * @see RFC 9112, section 6.3
 */
export const isBodiless = (method: string, status: number): boolean =>
  method === "HEAD" || status === 204 || status === 304

/** Says whether an answer is so short that it is worth waiting for its end. */
export const isShort = (headers: UpstreamResponse["headers"]): boolean => {
  const value = headers["content-length"]
  return typeof value === "string" && Number(value) <= collectedLength
}
