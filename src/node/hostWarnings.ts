import type { GatewaySettings } from "../config/GatewaySettings.ts"

/**
 * Warnings about this process, as opposed to its settings, one or two sentences each.
 *
 * @param environment the variables of this process
 */
export const hostWarnings = (
  { gatewayUrl, servers = [] }: Pick<GatewaySettings, "gatewayUrl"> & Partial<Pick<GatewaySettings, "servers">>,
  environment: Readonly<Record<string, string | undefined>> = process.env
): ReadonlyArray<string> => {
  const says: Array<string> = []
  // Node reads exactly this value, for every connection of the process.
  if (environment["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") {
    says.push(
      "NODE_TLS_REJECT_UNAUTHORIZED=0 lets anyone pose as your identity provider: certificates are not verified. " +
        "Remove it, and name the certificate authority in NODE_EXTRA_CA_CERTS if it is your own."
    )
  }
  for (const one of servers.length === 0 ? [{ gatewayUrl, serverName: "" }] : servers) {
    const { gatewayUrl, serverName } = one
    if (!/^https?:\/\/[^/]+\.spin\.internal(?:[:/]|$)/i.test(gatewayUrl)) continue
    const [who, setting] = serverName === ""
      ? ["The MCP server", "MCP_SERVER_URL"]
      : [`The MCP server ${JSON.stringify(serverName)}`, "its url"]
    says.push(
      `${who} has an address below .spin.internal, which exists only within Spin. Set ${setting} to the URL of your MCP ` +
        "server."
    )
  }
  return says
}
