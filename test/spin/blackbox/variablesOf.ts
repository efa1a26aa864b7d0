import * as IpNetwork from "effect/net/IpNetwork"
import * as Redacted from "effect/Redacted"
import type { AllowedOrigins, GatewaySettings, Provider, TrustedProxies } from "../../../src/config/GatewaySettings.ts"
import { forwardClaims } from "../../../src/config/kinds/forwardClaims.ts"
import { shown } from "../../../src/config/kinds/kind.ts"
import { rules } from "../../../src/config/kinds/rules.ts"
import type { ClientAuth } from "../../../src/providers/clientCredentials.ts"
import type { KeySource } from "../../../src/providers/jwt.ts"
import type { IdentityRules } from "../../../src/verify/claims/identity.ts"
import { asOwn, type OwnProvider } from "../../fixtures/providers.ts"

const keysOf = (keys: KeySource) => {
  switch (keys._tag) {
    case "Jwks":
      return { jwks_uri: keys.uri }
    case "PublicKey":
      return { public_key: keys.pem }
    case "Discovery":
      return {}
  }
}

const orMissing = <A>(list: ReadonlyArray<A>): ReadonlyArray<A> | undefined => list.length === 0 ? undefined : list

const identityRulesOf = (
  { clientClaims, groupClaims, requireVerifiedEmail, scopeClaims, subjectClaims, trustEmail = false }: IdentityRules
) => ({
  subject_claims: subjectClaims,
  client_claims: clientClaims,
  scope_claims: scopeClaims,
  // `false` differs from the default: it makes unverified addresses count.
  require_verified_email: requireVerifiedEmail || (trustEmail ? false : undefined),
  group_claims: groupClaims
})

const ownFields = (provider: OwnProvider) => {
  switch (provider.type) {
    case "authkit":
    case "oidc":
      return {
        issuer: provider.issuer,
        audience: orMissing(provider.audience),
        allowed_clients: orMissing(provider.allowedClients),
        ...identityRulesOf(provider),
        ...(provider.type === "oidc"
          ? { tenants: provider.tenants, discovery_url: provider.discoveryUrl, assume_pkce: provider.assumePkce }
          : {}),
        ...keysOf(provider.keys),
        algorithms: provider.algorithms,
        require_at_jwt: provider.requireAccessTokenType,
        hosts: orMissing(provider.allowedDomains),
        authorize_endpoint: provider.endpoints.authorize,
        token_endpoint: provider.endpoints.token,
        userinfo_endpoint: provider.endpoints.userinfo
      }
    case "static":
      return {
        tokens: provider.tokens.map(({ clientId, email, expiresAt, name, scopes, subject, token }) => ({
          token: Redacted.value(token),
          client_id: clientId,
          subject,
          scopes,
          expires_at: expiresAt,
          email,
          name
        }))
      }
    case "userinfo":
      return {
        issuer: provider.issuer,
        discovery_url: provider.discoveryUrl,
        // A guess is what a variable that is not given amounts to.
        userinfo_endpoint: provider.endpointIsGuess === true ? undefined : provider.userinfoEndpoint,
        ...identityRulesOf(provider),
        hosts: orMissing(provider.allowedDomains)
      }
    case "tokeninfo":
      return {
        issuer: provider.issuer,
        audience: orMissing(provider.audience),
        allowed_clients: orMissing(provider.allowedClients),
        ...identityRulesOf(provider),
        discovery_url: provider.discoveryUrl,
        tokeninfo_endpoint: provider.tokeninfoEndpoint,
        tokeninfo_parameter: provider.tokeninfoParameter,
        hosts: orMissing(provider.allowedDomains)
      }
    case "introspection":
      return {
        issuer: provider.issuer,
        audience: orMissing(provider.audience),
        allowed_clients: orMissing(provider.allowedClients),
        ...identityRulesOf(provider),
        discovery_url: provider.discoveryUrl,
        introspection_endpoint: provider.introspectionEndpoint,
        ...credentialsOf(provider.clientAuth),
        hosts: orMissing(provider.allowedDomains)
      }
  }
}

const credentialsOf = (auth: ClientAuth) => {
  switch (auth.method) {
    case "basic":
    case "post":
      return { client_auth: auth.method, client_id: auth.clientId, client_secret: Redacted.value(auth.clientSecret) }
    case "bearer":
      return { client_auth: auth.method, client_secret: Redacted.value(auth.token) }
    case "none":
      return { client_auth: auth.method }
  }
}

const providerOf = (provider: Provider) => ({
  type: provider.type,
  name: provider.name,
  required_scopes: orMissing(provider.requiredScopes),
  token_prefix: provider.tokenPrefix,
  scopes_requested: provider.scopesRequested,
  stand_in_metadata: provider.standInMetadata,
  ...ownFields(asOwn(provider))
})

const proxiesOf = (proxies: TrustedProxies): string =>
  proxies._tag === "Networks" ? proxies.networks.map(IpNetwork.format).join() : proxies._tag.toLowerCase()

/** Loopback origins cannot be written: they are the default of the variable with a loopback `host`. */
const originsOf = (origins: AllowedOrigins): string => {
  switch (origins._tag) {
    case "Any":
      return "*"
    case "Loopback":
      return ""
    case "List":
      return origins.origins.join()
  }
}

/** With its secret, which `shown` hides. The component cannot sign, so its tests have no signing key. */
const upstreamAuthOf = ({ upstreamAuth }: GatewaySettings) =>
  upstreamAuth._tag === "Header"
    ? { type: "header", field: upstreamAuth.field, value: Redacted.value(upstreamAuth.value) }
    : { type: "none" }

const jsonOrNothing = (members: object): string => Object.keys(members).length === 0 ? "" : JSON.stringify(members)

const wholeSeconds = (millis: number) => Math.ceil(millis / 1000) * 1000

/** On Node one is made at start; an instance on Spin would make its own. */
const sessionKey = Redacted.make("k".repeat(32))

/** The same settings with times that variables can hold, and with the key that binds sessions. */
export const asOnSpin = (settings: GatewaySettings): GatewaySettings => ({
  ...settings,
  sessionKeys: settings.bindSessions && settings.sessionKeys.length === 0 ? [sessionKey] : settings.sessionKeys,
  upstreamTimeoutMillis: wholeSeconds(settings.upstreamTimeoutMillis),
  clientHeadMillis: wholeSeconds(settings.clientHeadMillis),
  clientBodyMillis: wholeSeconds(settings.clientBodyMillis),
  clientIdleMillis: wholeSeconds(settings.clientIdleMillis),
  upstreamIdleMillis: wholeSeconds(settings.upstreamIdleMillis),
  responseTimeoutMillis: wholeSeconds(settings.responseTimeoutMillis),
  shutdownDelayMillis: wholeSeconds(settings.shutdownDelayMillis),
  shutdownTimeoutMillis: wholeSeconds(settings.shutdownTimeoutMillis)
})

/** The Spin variables that amount to these settings, whose times are whole seconds: the inverse of `readSettings`. */
export const variablesOf = (settings: GatewaySettings): Readonly<Record<string, string>> => {
  const values = {
    mcp_auth_enabled: settings.authEnabled,
    mcp_providers: settings.providers.length === 0 ? "" : JSON.stringify(settings.providers.map(providerOf)),
    mcp_required_scopes: settings.requiredScopes.join(" "),
    mcp_scopes_supported: settings.scopesSupported.join(" "),
    mcp_token_header: settings.tokenHeader,
    mcp_allowed_emails: settings.allowedEmails.join(),
    mcp_allowed_email_domains: settings.allowedEmailDomains.join(),
    mcp_allowed_subjects: settings.allowedSubjects.join(),
    mcp_rules: settings.rules.length === 0 ? "" : JSON.stringify(shown(rules, settings.rules)),
    mcp_default_rule: settings.defaultRule,
    mcp_scope_implies: jsonOrNothing(settings.scopeImplies.implies),
    mcp_server_url: settings.gatewayUrl,
    mcp_path: settings.path,
    mcp_public_url: settings.publicUrl ?? "",
    mcp_trusted_proxies: proxiesOf(settings.trustedProxies),
    mcp_allowed_origins: originsOf(settings.allowedOrigins),
    mcp_trace_header: settings.traceHeader,
    mcp_error_style: settings.errorStyle,
    mcp_step_up: settings.stepUp,
    mcp_forward_auth: String(settings.forwardAuth),
    mcp_forward_auth_unread: settings.forwardAuthUnread,
    mcp_forward_authorization: settings.forwardAuthorization,
    mcp_identity_headers: settings.identityHeaders,
    mcp_forward_claims: jsonOrNothing(shown(forwardClaims, settings.forwardClaims)),
    mcp_upstream_auth: JSON.stringify(upstreamAuthOf(settings)),
    mcp_inject_request_context: settings.injectRequestContext,
    mcp_inject_response_context: settings.injectResponseContext,
    mcp_response_timeout: settings.responseTimeoutMillis / 1000,
    mcp_bind_sessions: settings.bindSessions,
    mcp_session_key: settings.sessionKeys.map(Redacted.value).join(),
    mcp_max_token_bytes: settings.maxTokenBytes,
    mcp_max_body_bytes: settings.maxBodyBytes,
    mcp_max_list_bytes: settings.maxListBytes,
    mcp_clock_skew: settings.clockSkewSeconds,
    mcp_upstream_timeout: settings.upstreamTimeoutMillis / 1000,
    mcp_client_head_timeout: settings.clientHeadMillis / 1000,
    mcp_client_body_timeout: settings.clientBodyMillis / 1000,
    mcp_client_idle_timeout: settings.clientIdleMillis / 1000,
    mcp_client_min_rate: settings.clientMinRate,
    mcp_upstream_idle_timeout: settings.upstreamIdleMillis / 1000,
    mcp_max_client_connections: settings.maxClientConnections,
    mcp_max_waiting: settings.maxWaiting,
    mcp_max_upstream_connections: settings.maxUpstreamConnections,
    mcp_max_streams: settings.maxStreams,
    mcp_max_buffered_bytes: settings.maxBufferedBytes,
    mcp_shutdown_delay: settings.shutdownDelayMillis / 1000,
    mcp_shutdown_timeout: settings.shutdownTimeoutMillis / 1000,
    host: settings.host,
    port: settings.port,
    mcp_config_watch: settings.configWatch,
    mcp_workers: settings.workers,
    mcp_store_verdicts: settings.storeVerdicts,
    mcp_log_format: settings.logFormat,
    mcp_log_names: settings.logNames,
    mcp_log_level: settings.logLevel,
    mcp_audit_log: settings.auditLog ?? "",
    mcp_audit_subjects: settings.auditSubjects,
    mcp_audit_arguments: settings.auditArguments.join(),
    mcp_admin_port: settings.adminPort ?? "",
    mcp_admin_host: settings.adminHost,
    mcp_admin_token: settings.adminToken === undefined ? "" : Redacted.value(settings.adminToken),
    mcp_admin_scopes: settings.adminScopes.join()
  }
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}
