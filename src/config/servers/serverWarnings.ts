/** Warnings about a gateway with several MCP servers. Pure. */
import { typeOf } from "../../providers/types.ts"
import type { GatewaySettings, Provider } from "../GatewaySettings.ts"

const listed = (names: ReadonlyArray<string>): string => {
  const shown = names.slice(0, 5).map((name) => JSON.stringify(name))
  return names.length > shown.length ? `${shown.join(", ")} and ${names.length - shown.length} more` : shown.join(", ")
}

const isUsedBy = ({ name }: Provider) => ({ providers }: GatewaySettings): boolean =>
  providers.some((provider) => provider.name === name)

/** Returns whether a token of the provider is valid for all of its servers, because it does not name one of them. */
const isForAll = (settings: GatewaySettings, provider: Provider): boolean => {
  const { forResource } = typeOf(settings, provider)
  return forResource === undefined || forResource(provider, "urn:any") === provider
}

const aboutProvider = (
  settings: GatewaySettings,
  provider: Provider,
  development: boolean
): ReadonlyArray<string> => {
  const users = settings.servers.filter((server) => server.authEnabled && isUsedBy(provider)(server))
  const who = `Provider ${JSON.stringify(provider.name)}:`
  if (users.length === 0) return [`${who} no server accepts its tokens. Name it in the providers of one, or remove it.`]
  const { forDevelopment = false } = typeOf(settings, provider)
  if (users.length === 1 || !isForAll(settings, provider) || (development && forDevelopment)) return []
  return [
    `${who} its tokens are accepted alike by the servers ${
      listed(users.map(({ serverName }) => serverName))
    }, so that each ` +
    "of them could use at the others what it is sent. Set its audience to auto if it issues tokens for one server, or give " +
    "each server its own provider."
  ]
}

/**
 * Returns the warnings about several servers: each once, with the names of its servers, and those about their
 * combination.
 *
 * @param warningsOf returns the warnings about one server
 */
export const serverWarnings = (
  settings: GatewaySettings,
  warningsOf: (server: GatewaySettings) => ReadonlyArray<string>,
  development: boolean
): ReadonlyArray<string> => {
  const { providers, servers } = settings
  const byText = new Map<string, Array<string>>()
  for (const server of servers) {
    for (const text of new Set(warningsOf(server))) byText.set(text, [...byText.get(text) ?? [], server.serverName])
  }
  return [
    ...Array.from(byText, ([text, names]) =>
      names.length === servers.length && names.length > 1
        ? text
        : `${names.length === 1 ? "Server" : "Servers"} ${listed(names)}: ${text}`),
    ...providers.flatMap((provider) => aboutProvider(settings, provider, development))
  ]
}
