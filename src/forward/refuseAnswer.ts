import { UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { UpstreamResponse } from "./GatewayClient.ts"

const redirects: ReadonlySet<number> = new Set([300, 301, 302, 303, 307, 308])

/** Refuses answers that are none, and those that would lead the client away from this gateway. */
export const refuseAnswer = (
  { headers, status }: Pick<UpstreamResponse, "headers" | "status">
): UpstreamUnavailable | undefined => {
  if (status > 599) return new UpstreamUnavailable({ detail: `the MCP server answers with the status ${status}` })
  if (redirects.has(status)) return new UpstreamUnavailable({ detail: `the MCP server redirects (${status})` })
  // A client that gets the MCP server's own challenge would ask another authorization server for a token.
  const isChallenge = status === 401 || (status === 403 && headers["www-authenticate"] !== undefined)
  return isChallenge
    ? new UpstreamUnavailable({ detail: `the MCP server asks for credentials (${status})` })
    : undefined
}
