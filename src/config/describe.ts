import * as IpNetwork from "effect/net/IpNetwork"
import type {
  AllowedOrigins,
  ClientAuth,
  GatewaySettings,
  KeySource,
  OAuthEndpoints,
  Provider,
  TrustedProxies
} from "./GatewaySettings.ts"

/** A JSON value. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [member: string]: Json }

const hidden = "(hidden)"

const describeKeys = (keys: KeySource): { readonly [member: string]: Json } => {
  switch (keys._tag) {
    case "Jwks":
      return { jwks_uri: keys.uri }
    case "Discovery":
      return { jwks_uri: "(from the issuer's discovery document)" }
    case "PublicKey":
      return { public_key: "(PEM)" }
  }
}

const describeDiscovery = (url: string | undefined): { readonly [member: string]: Json } =>
  url === undefined ? {} : { discovery_url: url }

const describeEndpoints = ({ authorize, token, userinfo }: OAuthEndpoints): { readonly [member: string]: Json } => ({
  authorize_endpoint: authorize ?? null,
  token_endpoint: token ?? null,
  userinfo_endpoint: userinfo ?? null
})

const describeClientAuth = (auth: ClientAuth): { readonly [member: string]: Json } => ({
  client_auth: auth.method,
  ...("clientId" in auth ? { client_id: auth.clientId } : {}),
  ...(auth.method === "none" ? {} : { client_secret: hidden })
})

const describeOwn = (provider: Provider): { readonly [member: string]: Json } => {
  switch (provider.type) {
    case "authkit":
    case "oidc":
      return {
        issuer: provider.issuer,
        audience: provider.audience,
        allowed_clients: provider.allowedClients,
        ...(provider.tenants === undefined ? {} : { tenants: provider.tenants }),
        ...describeDiscovery(provider.discoveryUrl),
        ...describeKeys(provider.keys),
        algorithms: provider.algorithms,
        require_at_jwt: provider.requireAccessTokenType,
        require_verified_email: provider.requireVerifiedEmail,
        ...describeEndpoints(provider.endpoints),
        ...(provider.type === "oidc" ? { assume_pkce: provider.assumePkce ?? true } : {})
      }
    case "static":
      return {
        tokens: provider.tokens.map(({ clientId, email, expiresAt, name, scopes, subject }) => ({
          token: hidden,
          client_id: clientId,
          subject,
          scopes,
          expires_at: expiresAt ?? null,
          email: email ?? null,
          name: name ?? null
        }))
      }
    case "userinfo":
      return {
        issuer: provider.issuer,
        ...describeDiscovery(provider.discoveryUrl),
        userinfo_endpoint: provider.endpointIsGuess === true
          ? `${provider.userinfoEndpoint} (or from the issuer's discovery document)`
          : provider.userinfoEndpoint,
        require_verified_email: provider.requireVerifiedEmail
      }
    case "introspection":
      return {
        issuer: provider.issuer,
        audience: provider.audience,
        allowed_clients: provider.allowedClients,
        require_verified_email: provider.requireVerifiedEmail,
        ...describeDiscovery(provider.discoveryUrl),
        introspection_endpoint: provider.introspectionEndpoint ?? "(from the issuer's discovery document)",
        ...describeClientAuth(provider.clientAuth)
      }
  }
}

const describeProvider = (provider: Provider): Json => ({
  type: provider.type,
  name: provider.name,
  ...describeOwn(provider),
  required_scopes: provider.requiredScopes,
  allowed_domains: provider.allowedDomains,
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
  gateway_url: settings.gatewayUrl,
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
