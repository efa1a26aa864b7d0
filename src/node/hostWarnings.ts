import type { GatewaySettings } from "../config/GatewaySettings.ts"

/**
 * What is unwise in this process rather than in the settings alone, one sentence or two each.
 *
 * @param environment the variables of this process
 */
export const hostWarnings = (
  { gatewayUrl }: Pick<GatewaySettings, "gatewayUrl">,
  environment: Readonly<Record<string, string | undefined>> = process.env
): ReadonlyArray<string> => {
  const says: Array<string> = []
  // Node reads exactly this, for every connection of the process.
  if (environment["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") {
    says.push(
      "NODE_TLS_REJECT_UNAUTHORIZED=0 lets anyone pose as your identity provider: certificates are not verified. " +
        "Remove it, and name the certificate authority in NODE_EXTRA_CA_CERTS if it is one of your own."
    )
  }
  if (/^https?:\/\/[^/]+\.spin\.internal(?:[:/]|$)/i.test(gatewayUrl)) {
    says.push(
      "The MCP server has an address below .spin.internal, which is known within Spin only. Set MCP_SERVER_URL to the " +
        "URL of your MCP server."
    )
  }
  return says
}
