/** Which responses to `initialize` can be added to, and what changes with them. Pure. */
import { UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { UpstreamResponse } from "./GatewayClient.ts"

const mediaType = (headers: UpstreamResponse["headers"]): string => {
  const value = headers["content-type"]
  return typeof value === "string" ? value.split(";", 1)[0]?.trim().toLowerCase() ?? "" : ""
}

/** In which form a response holds the message that `authInfo` goes into, by its head. */
export const injectable = (
  { headers, status }: Pick<UpstreamResponse, "headers" | "status">
): "Message" | "Events" | "Neither" => {
  if (status !== 200) return "Neither"
  const type = mediaType(headers)
  if (type === "application/json") return "Message"
  return type === "text/event-stream" ? "Events" : "Neither"
}

/** A response that is longer than one to `initialize` can be. */
export const responseTooLarge = (): UpstreamUnavailable =>
  new UpstreamUnavailable({ detail: "the response to initialize is too large" })
