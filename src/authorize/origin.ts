/** Which browser origins may call. Pure. */
import type { AllowedOrigins } from "../config/GatewaySettings.ts"
import { isLoopbackHost } from "../config/loopback.ts"

/** An http or https origin exactly as a browser writes it (RFC 6454, section 6.2): no path, no user, lower case. */
const isLoopbackOrigin = (origin: string): boolean => {
  if (!URL.canParse(origin)) return false
  const url = new URL(origin)
  return url.origin === origin && /^https?:$/.test(url.protocol) && isLoopbackHost(url.hostname)
}

/**
 * Says whether the value of an `Origin` field is allowed: character for character one of a list, or a loopback origin.
 *
 * `null` (an origin that hides itself) is allowed only where every origin is (MCP 2025-11-25, transports, security
 * warning: DNS rebinding).
 */
export const isAllowedOrigin = (allowed: AllowedOrigins, origin: string): boolean => {
  switch (allowed._tag) {
    case "Any":
      return true
    case "List":
      return origin !== "null" && allowed.origins.includes(origin)
    case "Loopback":
      return isLoopbackOrigin(origin)
  }
}
