import * as IpNetwork from "effect/net/IpNetwork"
import { typeOf } from "../providers/types.ts"
import type { AllowedOrigins, GatewaySettings, Provider, TrustedProxies } from "./GatewaySettings.ts"
import type { Json } from "./Json.ts"

const hidden = "(hidden)"

const describeProvider = (provider: Provider): Json => ({
  type: provider.type,
  name: provider.name,
  ...typeOf(provider).describe(provider),
  required_scopes: provider.requiredScopes,
  hosts: provider.allowedDomains,
  ...(provider.allowHttp === undefined ? {} : { allow_http: provider.allowHttp }),
  token_prefix: provider.tokenPrefix ?? null
})

const describeProxies = (proxies: TrustedProxies): Json =>
  proxies._tag === "Networks" ? proxies.networks.map(IpNetwork.format) : proxies._tag.toLowerCase()

const describeOrigins = (origins: AllowedOrigins): Json => {
  switch (origins._tag) {
    case "Any":
      return "*"
    case "Loopback":
      return "(loopback origins)"
    case "List":
      return origins.origins
  }
}

/**
 * The settings as a JSON object in the terms of the config file, with every default filled in and no secret in it.
 *
 * The same settings give the same object, members in the same order. It is for reading, not for loading again.
 */
export const describe = (settings: GatewaySettings): { readonly [member: string]: Json } => ({
  auth_enabled: settings.authEnabled,
  providers: settings.providers.map(describeProvider),
  required_scopes: settings.requiredScopes,
  scopes_supported: settings.scopesSupported,
  server_url: settings.gatewayUrl,
  public_url: settings.publicUrl ?? null,
  path: settings.path,
  host: settings.host,
  port: settings.port,
  workers: settings.workers,
  allow_http: settings.allowHttp,
  ca_file: settings.caFile ?? null,
  trusted_proxies: describeProxies(settings.trustedProxies),
  allowed_origins: describeOrigins(settings.allowedOrigins),
  forward_authorization: settings.forwardAuthorization,
  identity_headers: settings.identityHeaders,
  inject_request_context: settings.injectRequestContext,
  inject_response_context: settings.injectResponseContext,
  upstream_timeout: settings.upstreamTimeoutMillis / 1000,
  response_timeout: settings.responseTimeoutMillis / 1000,
  client_head_timeout: settings.clientHeadMillis / 1000,
  client_body_timeout: settings.clientBodyMillis / 1000,
  client_idle_timeout: settings.clientIdleMillis / 1000,
  client_min_rate: settings.clientMinRate,
  upstream_idle_timeout: settings.upstreamIdleMillis / 1000,
  bind_sessions: settings.bindSessions,
  session_key: settings.sessionKeys.length === 0 ? null : hidden,
  error_style: settings.errorStyle,
  trace_header: settings.traceHeader,
  clock_skew: settings.clockSkewSeconds,
  max_token_bytes: settings.maxTokenBytes,
  max_body_bytes: settings.maxBodyBytes,
  max_waiting: settings.maxWaiting,
  max_upstream_connections: settings.maxUpstreamConnections,
  max_streams: settings.maxStreams,
  max_buffered_bytes: settings.maxBufferedBytes,
  shutdown_timeout: settings.shutdownTimeoutMillis / 1000,
  store_verdicts: settings.storeVerdicts,
  log_format: settings.logFormat,
  log_level: settings.logLevel
})
