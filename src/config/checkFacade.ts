import { type GatewaySettings, serversOf } from "./GatewaySettings.ts"
import type { Problem } from "./InvalidConfiguration.ts"

const problem = (setting: string, text: string, fix: string): Problem => ({
  setting,
  source: undefined,
  problem: text,
  fix
})

/** Reports settings that are missing for `stand_in_metadata`, or contradict it. */
const checkStandIns = (settings: GatewaySettings): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  for (const { providers, publicUrl } of serversOf(settings)) {
    const standIns = providers.filter(({ standInMetadata }) => standInMetadata === true)
    const [first, second] = [...standIns, ...providers.filter(({ facade }) => facade !== undefined)]
    if (standIns.length === 0 || first === undefined) continue
    if (publicUrl === undefined) {
      problems.push(problem(
        "MCP_PUBLIC_URL",
        "is missing; MCP_STAND_IN_METADATA needs it, because the gateway is the issuer that clients see",
        "Set it to the URL under which clients reach the gateway"
      ))
    }
    if (second !== undefined && second !== first) {
      problems.push(problem(
        "MCP_PROVIDERS",
        `has two providers for whose authorization server the gateway stands in: ${first.name} and ${second.name}`,
        "Keep one facade, or one MCP_STAND_IN_METADATA, for each MCP server: the gateway is one issuer there"
      ))
    }
  }
  return problems
}

/** Reports settings that are missing for a facade, or contradict it. */
const checkFacades = (settings: GatewaySettings): ReadonlyArray<Problem> => {
  const servers = serversOf(settings).map((server) => ({
    server,
    facades: server.providers.filter(({ facade }) => facade !== undefined)
  })).filter(({ facades }) => facades.length > 0)
  if (servers.length === 0) return []
  const problems: Array<Problem> = []
  if (servers.some(({ server }) => server.publicUrl === undefined)) {
    problems.push(problem(
      "MCP_PUBLIC_URL",
      "is missing; a facade needs it, because the gateway is the issuer that clients see",
      "Set it to the URL under which clients reach the gateway"
    ))
  }
  if (settings.sessionKeys.length === 0) {
    problems.push(problem(
      "MCP_SESSION_KEY",
      "is missing; a facade seals codes and refresh tokens with it, because nothing is stored",
      "Make one with: openssl rand -base64 32"
    ))
  }
  for (const { facades, server } of servers) {
    const [first, second] = facades
    if (first === undefined || second === undefined) continue
    problems.push(problem(
      "MCP_PROVIDERS",
      `has two providers with a facade for one MCP server${
        server.serverName === "" ? "" : ` (${server.serverName})`
      }: ` +
        `${first.name} and ${second.name}`,
      "Keep one facade for each MCP server: the gateway is one issuer there"
    ))
  }
  return problems
}

/** Reports settings that are missing for the gateway as an authorization server, or contradict it. */
export const checkFacade = (settings: GatewaySettings): ReadonlyArray<Problem> => [
  ...checkFacades(settings),
  ...checkStandIns(settings)
]
