/** Which responses to `initialize` can be extended, and how. Pure. */
import { UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { UpstreamResponse } from "./GatewayClient.ts"

const mediaType = (headers: UpstreamResponse["headers"]): string => {
  const value = headers["content-type"]
  return typeof value === "string" ? value.split(";", 1)[0]?.trim().toLowerCase() ?? "" : ""
}

/** Returns in which form a response contains the message that `authInfo` is added to, given its head. */
export const injectable = (
  { headers, status }: Pick<UpstreamResponse, "headers" | "status">
): "Message" | "Events" | "Neither" => {
  if (status !== 200) return "Neither"
  const type = mediaType(headers)
  if (type === "application/json") return "Message"
  return type === "text/event-stream" ? "Events" : "Neither"
}

/** The error for a response that is too long to be one to `initialize`. */
export const responseTooLarge = (): UpstreamUnavailable =>
  new UpstreamUnavailable({ detail: "the response to initialize is too large" })
