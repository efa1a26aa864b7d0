/** Which browser origins may call. Pure. */
import type { AllowedOrigins } from "../config/GatewaySettings.ts"
import { isLoopbackHost } from "../config/kinds/loopback.ts"

/** An http or https origin exactly as a browser writes it (RFC 6454, section 6.2): no path, no user, lower case. */
const isLoopbackOrigin = (origin: string): boolean => {
  if (!URL.canParse(origin)) return false
  const url = new URL(origin)
  return url.origin === origin && /^https?:$/.test(url.protocol) && isLoopbackHost(url.hostname)
}

// Labels have at most 63 characters (RFC 1035, section 2.3.1). Anything longer is not a host, and could be a
// credential.
const hostOrigin =
  /^[a-z][a-z0-9+.-]{0,19}:\/\/(?:[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,8}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i

/** A rejected origin for the log. A value that cannot be an origin is not shown. */
export const shownOrigin = (origin: string | undefined): string =>
  origin !== undefined && (origin === "null" || hostOrigin.test(origin))
    ? `"${origin}"`
    : "(no origin that a browser sends)"

/**
 * Returns whether the value of an `Origin` field is allowed: it must equal one in the list, or be a loopback origin.
 *
 * `null` (a hidden origin) is allowed only if every origin is (MCP 2025-11-25, transports, security warning: DNS
 * rebinding).
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
