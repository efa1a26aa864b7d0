import type { GatewaySettings } from "./GatewaySettings.ts"
import type { Problem } from "./InvalidConfiguration.ts"
import { isLoopbackAddress } from "./kinds/network.ts"

type AdminSettings = Pick<
  GatewaySettings,
  "adminHost" | "adminPort" | "adminScopes" | "adminToken" | "host" | "port" | "providers"
>

const wildcards: ReadonlySet<string> = new Set(["0.0.0.0", "::"])

const problemOf = (setting: string, problem: string, fix: string): Problem => ({
  setting,
  source: undefined,
  problem,
  fix
})

/** Reports an admin port that anyone could read, that no token gives access to, or that is the gateway's own port. */
export const checkAdmin = (
  { adminHost, adminPort, adminScopes, adminToken, host, port, providers }: AdminSettings
): ReadonlyArray<Problem> => {
  if (adminPort === undefined) return []
  const problems: Array<Problem> = []
  if (!isLoopbackAddress(adminHost) && adminToken === undefined && adminScopes.length === 0) {
    problems.push(problemOf(
      "MCP_ADMIN_HOST",
      "is an address that other machines reach, and nothing says who may read the admin port",
      "Set MCP_ADMIN_TOKEN to what this prints: openssl rand -base64 32; or MCP_ADMIN_SCOPES to scopes of your provider's " +
        "tokens; or leave MCP_ADMIN_HOST out, for this machine alone"
    ))
  }
  if (adminScopes.length > 0 && adminToken === undefined && providers.length === 0) {
    problems.push(problemOf(
      "MCP_ADMIN_SCOPES",
      "asks for tokens of a provider, and there is no provider",
      "Configure a provider, or set MCP_ADMIN_TOKEN"
    ))
  }
  if (
    adminPort !== 0 && adminPort === port &&
    (adminHost === host || wildcards.has(adminHost) || wildcards.has(host))
  ) {
    problems.push(problemOf(
      "MCP_ADMIN_PORT",
      "is the port of the gateway itself",
      "Choose another port, such as 9464, which your MCP clients do not reach"
    ))
  }
  return problems
}
