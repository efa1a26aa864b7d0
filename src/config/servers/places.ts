/** Checks that MCP servers do not collide. Pure. */
import type { GatewaySettings } from "../GatewaySettings.ts"
import type { Problem } from "../InvalidConfiguration.ts"
import { resourceUrl } from "../kinds/resourceUrl.ts"

/** Returns the servers that share something with an earlier one, together with that one. */
const repeated = (
  servers: ReadonlyArray<GatewaySettings | undefined>,
  keyOf: (server: GatewaySettings) => string
): ReadonlyArray<readonly [first: number, second: number]> => {
  const seen = new Map<string, number>()
  return servers.flatMap((server, index) => {
    if (server === undefined) return []
    const key = keyOf(server)
    const first = seen.get(key)
    if (first !== undefined) return [[first, index]]
    seen.set(key, index)
    return []
  })
}

/** The paths that the metadata URLs of a server contain: its own path, and that of its public URL. */
const insertedPaths = ({ path, publicUrl }: GatewaySettings): ReadonlySet<string> =>
  new Set(publicUrl === undefined ? [path] : [path, new URL(resourceUrl(publicUrl, path)).pathname])

/**
 * Returns the servers whose metadata URLs equal those of an earlier server, which happens if public URLs have paths.
 */
const metadataTwice = (
  servers: ReadonlyArray<GatewaySettings | undefined>
): ReadonlyArray<readonly [first: number, second: number]> => {
  const seen = new Map<string, number>()
  return servers.flatMap((server, index) => {
    if (server === undefined) return []
    const keys = Array.from(insertedPaths(server), (path) => `${server.serverHost ?? ""} ${path}`)
    const first = keys.map((key) => seen.get(key)).find((found) => found !== undefined)
    for (const key of keys) if (!seen.has(key)) seen.set(key, index)
    return first === undefined || servers[first]?.path === server.path ? [] : [[first, index] as const]
  })
}

/**
 * Reports names that two servers have, and URLs for which two servers could get a request.
 *
 * @param servers in the order of the entries; `undefined` for one that could not be read
 * @param source how `MCP_SERVERS` was given
 */
export const checkPlaces = (
  servers: ReadonlyArray<GatewaySettings | undefined>,
  source: string | undefined
): ReadonlyArray<Problem> => [
  ...repeated(servers, ({ serverName }) => serverName.toLowerCase()).map(([first, second]): Problem => ({
    setting: `MCP_SERVERS[${second}].name`,
    source,
    problem: `is the same as that of MCP_SERVERS[${first}]`,
    fix: "Give each server a name of its own; upper and lower case make no difference"
  })),
  ...repeated(servers, ({ path, serverHost = "" }) => `${serverHost} ${path}`).map(([first, second]): Problem => ({
    setting: `MCP_SERVERS[${second}].path`,
    source,
    problem: `is, at the same host, that of MCP_SERVERS[${first}]`,
    fix: "Give one of them another path, or a host of its own"
  })),
  ...metadataTwice(servers).map(([first, second]): Problem => ({
    setting: `MCP_SERVERS[${second}].path`,
    source,
    problem: `is, behind the path of a public URL, where the metadata of MCP_SERVERS[${first}] is`,
    fix: "Give one of them another path, or a public_url without a path"
  }))
]
