/** Detects an MCP server URL that leads back to the gateway itself. */
import * as Result from "effect/Result"
import { type GatewaySettings, serversOf } from "./GatewaySettings.ts"
import type { Problem } from "./InvalidConfiguration.ts"
import { isLoopbackHost } from "./kinds/loopback.ts"
import { resourceUrl } from "./kinds/resourceUrl.ts"
import type { SettingName } from "./settings.ts"

const loop = (setting: string, problem: string, fix: string): Problem => ({
  setting,
  source: undefined,
  problem,
  fix
})

const parse = (url: string): URL | undefined => Result.getOrUndefined(Result.try(() => new URL(url)))

/** `localhost` stands for both loopback addresses. */
const sameName = (one: string, other: string): boolean =>
  one === other || (one === "localhost" && isLoopbackHost(other)) || (other === "localhost" && isLoopbackHost(one))

/** A host in the form of `URL.hostname`. */
const asHostname = (host: string): string =>
  parse(`http://${host.includes(":") ? `[${host}]` : host}`)?.hostname ?? host

/** Returns whether a server that listens on `host` can be reached by a name. `[::]` accepts IPv4 connections, too. */
const isReached = (host: string, hostname: string): boolean => {
  const address = asHostname(host)
  return address === "0.0.0.0" || address === "[::]"
    ? isLoopbackHost(hostname) || hostname === "0.0.0.0" || hostname === "[::]"
    : sameName(address, hostname)
}

const urlSetting = ({ serverName }: GatewaySettings, index: number): string =>
  serverName === "" ? "MCP_SERVER_URL" : `MCP_SERVERS[${index}].url`

/** The public URLs of the gateway's MCP endpoints: paths by origin, each with a slash at its end. */
const ownPlaces = (servers: ReadonlyArray<GatewaySettings>): ReadonlyMap<string, ReadonlyArray<string>> => {
  const places = new Map<string, Array<string>>()
  for (const { path, publicUrl } of servers) {
    const own = publicUrl === undefined ? undefined : parse(resourceUrl(publicUrl, path))
    if (own === undefined) continue
    const below = own.pathname.endsWith("/") ? own.pathname : `${own.pathname}/`
    places.set(own.origin, [...places.get(own.origin) ?? [], below])
  }
  return places
}

/** Reports an MCP server whose URL is that of one of the gateway's own MCP endpoints. */
export const checkForwarding = (settings: GatewaySettings): ReadonlyArray<Problem> => {
  const servers = serversOf(settings)
  const places = ownPlaces(servers)
  if (places.size === 0) return []
  return servers.flatMap((server, index) => {
    const upstream = parse(server.gatewayUrl)
    const below = upstream === undefined ? undefined : places.get(upstream.origin)
    return upstream !== undefined && below?.some((path) => `${upstream.pathname}/`.startsWith(path)) === true
      ? [loop(
        urlSetting(server, index),
        "is the gateway's own public URL, so that the gateway would forward requests to itself",
        "Set it to the address of the MCP server behind the gateway"
      )]
      : []
  })
}

/** Reports a service without the URL of an MCP server, or with its own URL as that setting. */
export const checkService = (
  settings: GatewaySettings,
  given: ReadonlyMap<SettingName, unknown>
): ReadonlyArray<Problem> => {
  if (!given.has("MCP_SERVER_URL") && !given.has("MCP_SERVERS")) {
    return [
      loop("MCP_SERVER_URL", "is missing", "Set it to the URL of your MCP server, as in http://127.0.0.1:8080/mcp")
    ]
  }
  const { host, port } = settings
  return serversOf(settings).flatMap((server, index) => {
    const upstream = parse(server.gatewayUrl)
    if (upstream === undefined || !/^https?:$/.test(upstream.protocol)) return []
    const upstreamPort = Number(upstream.port || (upstream.protocol === "https:" ? 443 : 80))
    return port === upstreamPort && isReached(host, upstream.hostname)
      ? [loop(
        urlSetting(server, index),
        "is the address on which the gateway itself listens, so that it would forward requests to itself",
        "Set it to the address of your MCP server, or choose another PORT for the gateway"
      )]
      : []
  })
}
