/** Which of several MCP servers a request is for, by its host and path. Pure. */
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { readOriginalRequest } from "./originalRequest.ts"
import { namedHost } from "./publicUrl.ts"
import { authorityOf } from "./receive.ts"
import { isTrustedPeer, type RawHead, rawHead, type RequestHead } from "./requestHead.ts"
import { requestTarget } from "./requestTarget.ts"
import { gatewayPaths } from "./route.ts"
import { mcpRoute, routes } from "./routes.ts"

/** The servers of one host, or those without a configured host, by their paths. */
interface HostTable {
  /** The key is the path of the MCP endpoint. */
  readonly endpoints: Map<string, GatewaySettings>
  /**
   * The maximum number of segments of a key. It limits how many prefixes of a request's path are looked up, regardless
   * of the number of servers.
   */
  depth: number
  /** The key is the path of a discovery document, or of an endpoint of the facade. */
  readonly documents: Map<string, GatewaySettings>
}

const documentRows = routes.filter((row) => row.of === "server" && row !== mcpRoute)

const rootDocuments = new Set(documentRows.flatMap(({ alone = [] }) => alone))

const add = (table: HostTable, server: GatewaySettings): void => {
  table.endpoints.set(server.path, server)
  table.depth = Math.max(table.depth, server.path.split("/").length - 1)
  for (const row of documentRows) for (const path of row.paths(server)) table.documents.set(path, server)
}

const makeTables = (servers: ReadonlyArray<GatewaySettings>): ReadonlyMap<string, HostTable> => {
  const tables = new Map<string, HostTable>()
  for (const server of servers) {
    const host = server.serverHost ?? ""
    const table = tables.get(host) ?? { endpoints: new Map(), depth: 0, documents: new Map() }
    tables.set(host, table)
    add(table, server)
  }
  return tables
}

/** Returns the server with the longest path that is a prefix of this path, in whole segments. */
const longest = ({ depth, endpoints }: HostTable, path: string): GatewaySettings | undefined => {
  let found = endpoints.get("/")
  let from = 1
  for (let segments = 0; segments < depth; segments++) {
    const slash = path.indexOf("/", from)
    const server = endpoints.get(slash === -1 ? path : path.slice(0, slash))
    if (server !== undefined) found = server
    if (slash === -1) break
    from = slash + 1
  }
  return found
}

/** Returns the server if it is the only one of its host. Its documents are also at the root of the host. */
const only = ({ endpoints }: HostTable): GatewaySettings | undefined => {
  if (endpoints.size > 1) return undefined
  for (const server of endpoints.values()) return server
  return undefined
}

/** Returns the server with the longer path; if they are equally long, the first. */
const better = (one: GatewaySettings | undefined, other: GatewaySettings | undefined): GatewaySettings | undefined =>
  one === undefined || (other !== undefined && other.path.length > one.path.length) ? other : one

const findIn = (tables: ReadonlyArray<HostTable>, path: string): GatewaySettings | undefined => {
  const isWellKnown = path.startsWith("/.well-known/")
  if (isWellKnown || path.startsWith("/oauth/")) {
    for (const table of tables) {
      const server = table.documents.get(path)
      if (server !== undefined) return server
    }
  }
  if (isWellKnown) {
    const [first] = tables
    return first !== undefined && rootDocuments.has(path) ? only(first) : undefined
  }
  let found: GatewaySettings | undefined
  for (const table of tables) found = better(found, longest(table, path))
  return found
}

/** Returns the server that a request is for; `undefined` if no server is configured for it. */
export type SelectServer = (request: RequestHead) => GatewaySettings | undefined

/**
 * Builds the function that finds the server of a request.
 *
 * The longest path among the servers whose host matches wins. If two servers have the same path, the one that names the
 * host wins. Paths are compared byte by byte, in whole segments. Nothing is rejected here: the course reports problems
 * of target and host. The time that this takes does not depend on the number of servers.
 */
export const makeSelectServer = ({ forwardAuth, servers, trustedProxies }: GatewaySettings): SelectServer => {
  const tables = makeTables(servers)
  const anyHost = tables.get("")
  const hosts = tables.size - (anyHost === undefined ? 0 : 1)
  const withoutHost = anyHost === undefined ? [] : [anyHost]

  /** The tables whose host matches, the most specific first. */
  const tablesFor = (request: RequestHead, raw: RawHead, named: string | undefined): ReadonlyArray<HostTable> => {
    if (hosts === 0) return withoutHost
    const authority = authorityOf(raw, request, isTrustedPeer(trustedProxies, request), named)
    const requested = Result.getOrUndefined(namedHost(authority))
    if (requested === undefined) return withoutHost
    const host = requested.host.endsWith(".") ? requested.host.slice(0, -1) : requested.host
    const ofPort = requested.port === undefined ? undefined : tables.get(`${host}:${requested.port}`)
    const ofHost = tables.get(host)
    return [ofPort, ofHost, anyHost].filter((table) => table !== undefined)
  }

  const select: SelectServer = (request) => {
    const raw = rawHead(request)
    const { authority, origin } = requestTarget(raw.target)
    const mark = origin.indexOf("?")
    const path = mark === -1 ? origin : origin.slice(0, mark)
    return gatewayPaths.has(path) ? undefined : findIn(tablesFor(request, raw, authority), path)
  }
  if (!forwardAuth) return select
  return (request) => {
    const original = readOriginalRequest(trustedProxies, request)
    return select(original === undefined || Result.isFailure(original) ? request : original.success)
  }
}
