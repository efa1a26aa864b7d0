/** Warnings about rate limits and their store. Pure. */
import { type GatewaySettings, serversOf } from "./GatewaySettings.ts"
import { isLoopbackHost } from "./kinds/loopback.ts"
import { isLoopbackAddress } from "./kinds/network.ts"

const hasProxyInFront = ({ host, publicUrl }: GatewaySettings): boolean =>
  isLoopbackAddress(host) && publicUrl !== undefined && !isLoopbackHost(new URL(publicUrl).hostname)

/**
 * Returns warnings about limits that count less than expected, about a store that others can read, and about a store in
 * which little is shared.
 */
export const limitWarnings = (settings: GatewaySettings): ReadonlyArray<string> => {
  const { sessionKeys, storePassword, storeUrl, trustedProxies, workers } = settings
  const limits = serversOf(settings).flatMap(({ rateLimits }) => rateLimits)
  const says: Array<string> = []
  if (limits.length > 0 && storeUrl === undefined && workers !== 1) {
    says.push(
      "Each worker counts for itself, so that MCP_RATE_LIMITS allow as many times more as there are workers. Set " +
        "MCP_STORE_URL to have them count together."
    )
  }
  if (
    limits.some(({ by }) => by.includes("address")) && trustedProxies._tag === "None" &&
    serversOf(settings).some(hasProxyInFront)
  ) {
    says.push(
      "MCP_RATE_LIMITS count by address, and every request has that of the proxy in front of the gateway. Set " +
        "MCP_TRUSTED_PROXIES to the network of the proxy."
    )
  }
  if (storeUrl !== undefined && /^redis:/i.test(storeUrl) && !isLoopbackHost(new URL(storeUrl).hostname)) {
    says.push(
      `MCP_STORE_URL is not encrypted, so that anyone who can listen ${
        storePassword === undefined ? "sees what is counted" : "sees the password of the store"
      }, and anyone who can respond in its place decides about rate limits. Use rediss:// wherever the network is not yours alone.`
    )
  }
  if (storeUrl !== undefined && sessionKeys.length === 0) {
    says.push(
      "Replicas share nothing but rate limits in MCP_STORE_URL: without a key, anyone who can write to the store could let " +
        "anyone in. Set MCP_SESSION_KEY, the same for all replicas, to what this prints: openssl rand -base64 32"
    )
  }
  return says
}
