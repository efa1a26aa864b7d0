/**
 * The way from the gateway to the MCP server must not lead back to the gateway.
 */
import * as Result from "effect/Result"
import type { GatewaySettings } from "./GatewaySettings.ts"
import type { Problem } from "./InvalidConfiguration.ts"
import { isLoopbackHost } from "./kinds/loopback.ts"
import { resourceUrl } from "./kinds/resourceUrl.ts"
import type { SettingName } from "./settings.ts"

const loop = (problem: string, cure: string): Problem => ({
  setting: "MCP_SERVER_URL",
  source: undefined,
  problem,
  cure
})

const parse = (url: string): URL | undefined => Result.getOrUndefined(Result.try(() => new URL(url)))

/** `localhost` stands for both loopback addresses. */
const sameName = (one: string, other: string): boolean =>
  one === other || (one === "localhost" && isLoopbackHost(other)) || (other === "localhost" && isLoopbackHost(one))

/** As `URL.hostname` writes it. */
const asHostname = (host: string): string =>
  parse(`http://${host.includes(":") ? `[${host}]` : host}`)?.hostname ?? host

/** Says whether a server that listens on `host` is found under a name. `[::]` takes IPv4 connections, too. */
const isReached = (host: string, hostname: string): boolean => {
  const address = asHostname(host)
  return address === "0.0.0.0" || address === "[::]"
    ? isLoopbackHost(hostname) || hostname === "0.0.0.0" || hostname === "[::]"
    : sameName(address, hostname)
}

/** Complains about an MCP server that is said to be where clients find the gateway's own MCP endpoint. */
export const checkForwarding = (
  { gatewayUrl, path, publicUrl }: Pick<GatewaySettings, "gatewayUrl" | "path" | "publicUrl">
): ReadonlyArray<Problem> => {
  const own = publicUrl === undefined ? undefined : parse(resourceUrl(publicUrl, path))
  const upstream = parse(gatewayUrl)
  if (own === undefined || upstream === undefined || own.origin !== upstream.origin) return []
  const below = own.pathname.endsWith("/") ? own.pathname : `${own.pathname}/`
  return `${upstream.pathname}/`.startsWith(below)
    ? [loop(
      "is the gateway's own public URL, so that the gateway would forward requests to itself",
      "Set it to the address of the MCP server behind the gateway"
    )]
    : []
}

/** Complains about a service that listens without being told where the MCP server is, or is told that it is itself. */
export const checkService = (
  { gatewayUrl, host, port }: GatewaySettings,
  given: ReadonlyMap<SettingName, unknown>
): ReadonlyArray<Problem> => {
  if (!given.has("MCP_SERVER_URL")) {
    return [loop("is missing", "Set it to the URL of your MCP server, as in http://127.0.0.1:8080/mcp")]
  }
  const upstream = parse(gatewayUrl)
  if (upstream === undefined || !/^https?:$/.test(upstream.protocol)) return []
  const upstreamPort = Number(upstream.port || (upstream.protocol === "https:" ? 443 : 80))
  return port === upstreamPort && isReached(host, upstream.hostname)
    ? [loop(
      "is the address on which the gateway itself listens, so that it would forward requests to itself",
      "Set it to the address of your MCP server, or choose another PORT for the gateway"
    )]
    : []
}
