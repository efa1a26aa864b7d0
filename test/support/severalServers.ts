/** A gateway with several MCP servers, each of which records its requests. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { settingsOf } from "../config/resolving.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "./RecordingUpstream.ts"

/** An entry of `servers` without its URL. */
export type ServerEntry = Readonly<Record<string, unknown>> & { readonly name: string }

/** A server for a test: its settings, and the server itself. */
export interface TestServer {
  readonly settings: GatewaySettings
  readonly upstream: RecordingUpstream
}

/** The public URL of such a gateway. */
export const publicOrigin = "https://mcp.example.com"

/**
 * Settings of a gateway in front of recording servers, on a port that the system chooses.
 *
 * @param entries the entries of `servers`; each gets a server at `/internal`
 * @param document the other settings, as in the config file
 */
export const severalServers = Effect.fnUntraced(function*(
  entries: ReadonlyArray<ServerEntry>,
  document: Readonly<Record<string, unknown>>
): Effect.fn.Return<
  { readonly settings: GatewaySettings; readonly servers: Readonly<Record<string, TestServer>> },
  never,
  Scope.Scope
> {
  const upstreams = yield* Effect.forEach(entries, () => makeRecordingUpstream)
  const settings = settingsOf({}, {
    public_url: publicOrigin,
    port: 0,
    inject_request_context: true,
    inject_response_context: true,
    shutdown_timeout: 1,
    ...document,
    servers: entries.map((entry, index) => ({ url: `${upstreams[index]?.origin}/internal`, ...entry }))
  })
  const servers = settings.servers.flatMap((server, index) => {
    const upstream = upstreams[index]
    return upstream === undefined ? [] : [[server.serverName, { settings: server, upstream }] as const]
  })
  return { settings, servers: Object.fromEntries(servers) }
})
