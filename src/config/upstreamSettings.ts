/** The settings of one MCP server, for a client that stands alone. */
import * as Effect from "effect/Effect"
import type { GatewayConfigInput } from "./GatewayConfigInput.ts"
import type { GatewaySettings } from "./GatewaySettings.ts"
import type { InvalidConfiguration } from "./InvalidConfiguration.ts"
import { resolve } from "./resolve.ts"
import { fromInput } from "./sources/document.ts"

/**
 * The settings for the client of one MCP server: a part of the gateway's settings, with the same names and defaults.
 */
export interface UpstreamInput extends
  Pick<
    GatewayConfigInput,
    | "ca_file"
    | "max_streams"
    | "max_upstream_connections"
    | "max_waiting"
    | "upstream_ca_file"
    | "upstream_client_cert_file"
    | "upstream_client_key_file"
    | "upstream_server_name"
    | "upstream_idle_timeout"
    | "upstream_timeout"
  >
{
  /** Where the MCP server is. */
  readonly server_url: string
}

/** What a client of one MCP server uses. */
export type UpstreamSettings = Pick<
  GatewaySettings,
  | "caFile"
  | "gatewayUrl"
  | "maxStreams"
  | "maxUpstreamConnections"
  | "maxWaiting"
  | "upstreamCaFile"
  | "upstreamClientCertFile"
  | "upstreamClientKeyFile"
  | "upstreamIdleMillis"
  | "upstreamServerName"
  | "upstreamTimeoutMillis"
>

/** Returns the settings of a client alone, without the rest of the gateway's. */
export const upstreamOnly = (settings: UpstreamSettings): UpstreamSettings => ({
  caFile: settings.caFile,
  gatewayUrl: settings.gatewayUrl,
  maxStreams: settings.maxStreams,
  maxUpstreamConnections: settings.maxUpstreamConnections,
  maxWaiting: settings.maxWaiting,
  upstreamCaFile: settings.upstreamCaFile,
  upstreamClientCertFile: settings.upstreamClientCertFile,
  upstreamClientKeyFile: settings.upstreamClientKeyFile,
  upstreamIdleMillis: settings.upstreamIdleMillis,
  upstreamServerName: settings.upstreamServerName,
  upstreamTimeoutMillis: settings.upstreamTimeoutMillis
})

/** The settings that a client uses, with every default filled in; fails with all problems at once. */
export const upstreamSettings = (input: UpstreamInput): Effect.Effect<UpstreamSettings, InvalidConfiguration> =>
  // Without providers, because a client does not verify callers.
  Effect.suspend(() => Effect.fromResult(resolve([fromInput({ ...input, auth_enabled: false })])))
