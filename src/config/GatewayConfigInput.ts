// Written by `npm run readme` from the table of settings: change the table.
import type { PresetName } from "../providers/presets/presets.ts"
import type { ProviderTypeName } from "../providers/types.ts"
import type { Input } from "./settings.ts"

/** One provider of the gateway's own types: the fields that its type uses. */
export interface ProviderInput {
  /**
   * Fill in what the documentation of a provider says about its tokens: the name of a
   * [preset](../providers/presets/README.md). Settings that you give yourself take precedence. Default: none. For
   * authkit, tokeninfo, oidc, static, userinfo, introspection.
   */
  readonly preset?: PresetName | undefined
  /**
   * How tokens are verified; `jwt` means `oidc`. Default: from what is given. For authkit, tokeninfo, oidc, static,
   * userinfo, introspection.
   */
  readonly type?: ProviderTypeName | undefined
  /**
   * The name of the provider in identities and logs. Default: the type. For authkit, tokeninfo, oidc, static,
   * userinfo, introspection.
   */
  readonly name?: Input<"MCP_PROVIDER_NAME"> | undefined
  /**
   * The issuer, exactly as the `iss` claim has it; a bare domain gets `https://`. For authkit, tokeninfo, oidc,
   * userinfo, introspection.
   */
  readonly issuer?: Input<"MCP_JWT_ISSUER"> | undefined
  /**
   * Audiences of which a token must have one; `auto` is the public URL with the MCP path. Default: not checked. For
   * authkit, tokeninfo, oidc, introspection.
   */
  readonly audience?: Input<"MCP_JWT_AUDIENCE"> | undefined
  /**
   * OAuth clients whose tokens are accepted, by `client_id`, `azp`, `appid` and `cid`. For a token without `aud`,
   * this check replaces the check of the audience. Default: not checked. For authkit, tokeninfo, oidc,
   * introspection.
   */
  readonly allowed_clients?: Input<"MCP_ALLOWED_CLIENTS"> | undefined
  /**
   * Where the issuer publishes its keys. Default: AuthKit: `{issuer}/oauth2/jwks`; OIDC: discovery. For authkit,
   * oidc.
   */
  readonly jwks_uri?: Input<"MCP_JWT_JWKS_URI"> | undefined
  /**
   * Where the issuer's metadata is, if it is not below the issuer or cannot be reached there. The document must
   * name the issuer. Default: the well-known places of the issuer. For tokeninfo, oidc, userinfo, introspection.
   */
  readonly discovery_url?: Input<"MCP_DISCOVERY_URL"> | undefined
  /**
   * Tenants that are allowed, if the issuer has a placeholder for the tenant:
   * `https://idp.example/{tenantid}/v2.0`. Default: none. For oidc.
   */
  readonly tenants?: Input<"MCP_JWT_TENANTS"> | undefined
  /**
   * Add PKCE (`S256`) to the metadata that clients get if the provider's document does not mention it, because MCP
   * clients give up without it. Set `false` for a provider that has no PKCE. Default: `true`. For oidc.
   */
  readonly assume_pkce?: Input<"MCP_ASSUME_PKCE"> | undefined
  /**
   * Name the gateway as the authorization server, and list the provider's endpoints in the gateway's own metadata,
   * for clients that cannot use the provider's document. Default: `false`. For authkit, tokeninfo, oidc, userinfo,
   * introspection.
   */
  readonly stand_in_metadata?: Input<"MCP_STAND_IN_METADATA"> | undefined
  /** The issuer's public key, in place of a key set; `\n` stands for a line break. For authkit, oidc. */
  readonly public_key?: Input<"MCP_JWT_PUBLIC_KEY"> | undefined
  /** Signature algorithms that are accepted. Default: `RS256`. For authkit, oidc. */
  readonly algorithms?: Input<"MCP_JWT_ALGORITHM"> | undefined
  /** Accept only tokens of type `at+jwt` (RFC 9068). Default: `false`. For authkit, oidc. */
  readonly require_at_jwt?: Input<"MCP_REQUIRE_AT_JWT"> | undefined
  /**
   * `true`: leave out an e-mail address unless `email_verified` is true. `false`: leave it out only if
   * `email_verified` is false; written explicitly, it also makes addresses without `email_verified` count for the
   * lists and rules. Default: `false`, but rules and allow-lists look only at addresses whose `email_verified` is
   * true. For authkit, tokeninfo, oidc, userinfo, introspection.
   */
  readonly require_verified_email?: Input<"MCP_REQUIRE_VERIFIED_EMAIL"> | undefined
  /**
   * Claims that name the caller: the first one that is present counts. A path leads into objects (`user.id`).
   * `email` counts only if it is verified. Default: `sub`. For authkit, tokeninfo, oidc, userinfo, introspection.
   */
  readonly subject_claims?: Input<"MCP_SUBJECT_CLAIMS"> | undefined
  /**
   * Claims that name the OAuth client: the first one that is present counts, and `MCP_ALLOWED_CLIENTS` is compared
   * with all of them. Default: `client_id, azp, appid, cid`. For authkit, tokeninfo, oidc, userinfo, introspection.
   */
  readonly client_claims?: Input<"MCP_CLIENT_CLAIMS"> | undefined
  /**
   * Claims with the scopes of a token, as a string of words or an array: the first one that is present counts.
   * Default: `scope, scp`. For authkit, tokeninfo, oidc, introspection.
   */
  readonly scope_claims?: Input<"MCP_SCOPE_CLAIMS"> | undefined
  /**
   * What clients must request to get a scope, if the provider spells it differently: `{"read": "api://app/read"}`,
   * or `{"*": "api://app/{scope}"}` for all. Metadata and challenges name these scopes. Default: as in tokens. For
   * authkit, tokeninfo, oidc, userinfo, introspection.
   */
  readonly scopes_requested?: Input<"MCP_SCOPES_REQUESTED"> | undefined
  /**
   * Claims with the groups and roles of a caller, for rules: all of them count. A path leads into objects
   * (`realm_access.roles`), `*` stands for each member. Default: `groups, roles, realm_access.roles,
   * resource_access.*.roles, permissions, cognito:groups`. For authkit, tokeninfo, oidc, userinfo, introspection.
   */
  readonly group_claims?: Input<"MCP_GROUP_CLAIMS"> | undefined
  /**
   * Scopes that every token must have. Default: none. For authkit, tokeninfo, oidc, static, userinfo,
   * introspection.
   */
  readonly required_scopes?: Input<"MCP_REQUIRED_SCOPES"> | undefined
  /**
   * Hosts that the provider's URLs may have. Default: AuthKit: `*.authkit.app, *.workos.com` and the issuer's own
   * host; else any. For authkit, tokeninfo, oidc, userinfo, introspection.
   */
  readonly hosts?: Input<"MCP_PROVIDER_HOSTS"> | undefined
  /** @deprecated The former name of `hosts`. */
  readonly allowed_domains?: Input<"MCP_PROVIDER_HOSTS"> | undefined
  /**
   * Hosts in a private network that may be reached over plain http: providers, and the host of `MCP_PUBLIC_URL`.
   * Default: none. For authkit, tokeninfo, oidc, userinfo, introspection.
   */
  readonly allow_http?: Input<"MCP_ALLOW_HTTP"> | undefined
  /**
   * Tokens that begin with this prefix belong to this provider, regardless of their form. For authkit, tokeninfo,
   * oidc, static, userinfo, introspection.
   */
  readonly token_prefix?: Input<"MCP_TOKEN_PREFIX"> | undefined
  /**
   * Fixed tokens for development: `token:client:subject:scope,scope[:expiry]`, separated by `;`, or JSON. For
   * static.
   */
  readonly tokens?: Input<"MCP_STATIC_TOKENS"> | undefined
  /** `authorization_endpoint` in the metadata that clients get. For authkit, oidc. */
  readonly authorize_endpoint?: Input<"MCP_OAUTH_AUTHORIZE_ENDPOINT"> | undefined
  /** `token_endpoint` in the metadata that clients get. For authkit, oidc. */
  readonly token_endpoint?: Input<"MCP_OAUTH_TOKEN_ENDPOINT"> | undefined
  /**
   * `userinfo_endpoint` in the metadata; for a userinfo provider, where tokens are verified. Default: userinfo:
   * `{issuer}/oauth/userinfo`, or from discovery if that does not respond. For authkit, oidc, userinfo.
   */
  readonly userinfo_endpoint?: Input<"MCP_OAUTH_USERINFO_ENDPOINT"> | undefined
  /**
   * The endpoint at which the provider describes the token of a request, in its own format; tokens are verified
   * there. For tokeninfo.
   */
  readonly tokeninfo_endpoint?: Input<"MCP_TOKENINFO_URL"> | undefined
  /**
   * The parameter of a form in which that endpoint expects the token. Default: GET with a bearer token. For
   * tokeninfo.
   */
  readonly tokeninfo_parameter?: Input<"MCP_TOKENINFO_PARAMETER"> | undefined
  /** The introspection endpoint (RFC 7662). Default: from discovery. For introspection. */
  readonly introspection_endpoint?: Input<"MCP_INTROSPECTION_URL"> | undefined
  /**
   * How the gateway authenticates at the introspection endpoint: HTTP Basic, `client_id` and `client_secret` in the
   * form (`post`), the secret as a bearer token, or not at all. Default: `basic`. For introspection.
   */
  readonly client_auth?: Input<"MCP_CLIENT_AUTH"> | undefined
  /** The client id for introspection. For introspection. */
  readonly client_id?: Input<"MCP_CLIENT_ID"> | undefined
  /** The client secret, or bearer token, for introspection. For introspection. */
  readonly client_secret?: Input<"MCP_CLIENT_SECRET"> | undefined
  /**
   * Make the gateway the authorization server that clients see, for a provider without registration, PKCE or
   * `resource`: [an object](../facade/README.md) with the client that is registered at the provider. Default:
   * clients sign in at the provider itself. For authkit, tokeninfo, oidc, userinfo, introspection.
   */
  readonly facade?: Input<"MCP_FACADE"> | undefined
}

/** The settings of the gateway that each of several MCP servers may have for itself. */
type ServerSetting =
  | "forward_authorization"
  | "identity_headers"
  | "forward_claims"
  | "inject_request_context"
  | "inject_response_context"
  | "upstream_timeout"
  | "response_timeout"
  | "upstream_idle_timeout"
  | "bind_sessions"
  | "upstream_auth"
  | "public_url"
  | "path"
  | "auth_enabled"
  | "required_scopes"
  | "scopes_supported"
  | "allowed_emails"
  | "allowed_email_domains"
  | "allowed_subjects"
  | "allowed_origins"
  | "rules"
  | "default_rule"
  | "scope_implies"
  | "max_body_bytes"
  | "max_list_bytes"
  | "max_waiting"
  | "max_upstream_connections"
  | "max_streams"
  | "max_buffered_bytes"
  | "rate_limits"
  | "error_style"
  | "step_up"

/** One of several MCP servers: what it leaves out it inherits from the gateway's own settings. */
export interface ServerInput extends Pick<GatewayConfigInput, ServerSetting> {
  /** The name of the server in logs, rules and `--check`; unique. Default: must be set. */
  readonly name: string
  /**
   * The host that requests for the server name, with a port if only that one is meant. It also takes the place of
   * the host in `public_url`. Default: any host.
   */
  readonly host?: string | undefined
  /** The names of the providers whose tokens the server accepts. Default: all. */
  readonly providers?: string | ReadonlyArray<string> | undefined
  /**
   * The URL of the MCP server; the rest of a path after the MCP path is appended.
   * `http+unix://%2Frun%2Fmcp.sock/mcp` is `/mcp` behind the Unix socket `/run/mcp.sock`.
   */
  readonly url: Input<"MCP_SERVER_URL">
  /**
   * A PEM file with the certificate authorities to trust for an https MCP server, in place of all others. Default:
   * that of the gateway.
   */
  readonly ca_file?: Input<"MCP_UPSTREAM_CA_FILE"> | undefined
  /**
   * A PEM file with the certificate that the gateway presents to an https MCP server, and its intermediate
   * certificates. Default: that of the gateway.
   */
  readonly client_cert_file?: Input<"MCP_UPSTREAM_CLIENT_CERT_FILE"> | undefined
  /** A PEM file with the private key of that certificate. Default: that of the gateway. */
  readonly client_key_file?: Input<"MCP_UPSTREAM_CLIENT_KEY_FILE"> | undefined
  /** The name of an https MCP server in TLS (SNI), which its certificate must have. Default: that of the gateway. */
  readonly server_name?: Input<"MCP_UPSTREAM_SERVER_NAME"> | undefined
}

type AddedInput<T> = T extends { readonly Input?: infer Input } ? Input : never

/**
 * Settings in TypeScript code: the members of the config file, typed.
 *
 * Members that are missing or `undefined` get their defaults. Times are in seconds, or a `Duration`. Secrets may be `Redacted`.
 * `Types` are provider types of your own, whose providers may stand among the others.
 */
export interface GatewayConfigInput<Types extends ReadonlyArray<unknown> = readonly []> {
  /**
   * The URL of the MCP server; the rest of a path after the MCP path is appended.
   * `http+unix://%2Frun%2Fmcp.sock/mcp` is `/mcp` behind the Unix socket `/run/mcp.sock`. Default: must be set; on
   * Spin `http://ftl-mcp-gateway.spin.internal/mcp-internal`.
   */
  readonly server_url?: Input<"MCP_SERVER_URL"> | undefined
  /** @deprecated The former name of `server_url`. */
  readonly gateway_url?: Input<"MCP_SERVER_URL"> | undefined
  /** Forward the client's token to the MCP server, which MCP forbids. Default: `false`. */
  readonly forward_authorization?: Input<"MCP_FORWARD_AUTHORIZATION"> | undefined
  /** Add `x-auth-*` fields to upstream requests. Default: `true`. */
  readonly identity_headers?: Input<"MCP_IDENTITY_HEADERS"> | undefined
  /**
   * Claims that the MCP server gets in separate fields: `{"groups": "x-auth-groups", "tid": "x-auth-tenant"}`.
   * Clients cannot send these fields. Default: none.
   */
  readonly forward_claims?: Input<"MCP_FORWARD_CLAIMS"> | undefined
  /**
   * Add `params._authContext` to `initialize` requests; `auto`: unless the MCP server rejects it. Default: `auto`.
   */
  readonly inject_request_context?: Input<"MCP_INJECT_REQUEST_CONTEXT"> | undefined
  /**
   * Add `result.serverInfo.authInfo` to responses to `initialize`; `auto`: unless the MCP server rejects additions,
   * or the client speaks MCP 2024-11-05. Default: `auto`.
   */
  readonly inject_response_context?: Input<"MCP_INJECT_RESPONSE_CONTEXT"> | undefined
  /** How long the MCP server may take to begin its response, in seconds. Default: `300`. */
  readonly upstream_timeout?: Input<"MCP_UPSTREAM_TIMEOUT"> | undefined
  /**
   * How long a response may take in total, in seconds, if its token expires before it ends; after that it is
   * aborted. Default: `3600`.
   */
  readonly response_timeout?: Input<"MCP_RESPONSE_TIMEOUT"> | undefined
  /**
   * How long an idle connection to the MCP server is kept, in seconds, if the server sends no `Keep-Alive`; choose
   * less than the server's own timeout. `0`: a new connection for each request. Default: `1`.
   */
  readonly upstream_idle_timeout?: Input<"MCP_UPSTREAM_IDLE_TIMEOUT"> | undefined
  /** Bind `Mcp-Session-Id` to its caller: for anyone else the session does not exist (404). Default: `true`. */
  readonly bind_sessions?: Input<"MCP_BIND_SESSIONS"> | undefined
  /**
   * The secret that binds sessions, the same for all replicas: at least 32 characters. Default: made at start; on
   * Spin sessions are then not bound.
   */
  readonly session_key?: Input<"MCP_SESSION_KEY"> | undefined
  /**
   * What the MCP server can trust: `none`, `identity_jwt` (a JWT that the gateway signs), or an object with `type`
   * `identity_jwt`, `exchange` or `header`: [what they do](../upstream/README.md). Clients cannot send the field
   * that carries it. Default: `none`.
   */
  readonly upstream_auth?: Input<"MCP_UPSTREAM_AUTH"> | undefined
  /**
   * The private key that signs the tokens of `identity_jwt`: Ed25519 or EC on P-256, as PKCS#8 in PEM or as a JWK;
   * two while you replace it. The first signs; `/.well-known/jwks.json` publishes all. Default: `identity_jwt`
   * cannot be used.
   */
  readonly signing_key?: Input<"MCP_SIGNING_KEY"> | undefined
  /**
   * A PEM file with the certificate authorities to trust for an https MCP server, in place of all others. Default:
   * the system's authorities, and those of `MCP_CA_FILE`.
   */
  readonly upstream_ca_file?: Input<"MCP_UPSTREAM_CA_FILE"> | undefined
  /**
   * A PEM file with the certificate that the gateway presents to an https MCP server, and its intermediate
   * certificates. Default: none.
   */
  readonly upstream_client_cert_file?: Input<"MCP_UPSTREAM_CLIENT_CERT_FILE"> | undefined
  /** A PEM file with the private key of that certificate. Default: none. */
  readonly upstream_client_key_file?: Input<"MCP_UPSTREAM_CLIENT_KEY_FILE"> | undefined
  /** The name of an https MCP server in TLS (SNI), which its certificate must have. Default: the host of its URL. */
  readonly upstream_server_name?: Input<"MCP_UPSTREAM_SERVER_NAME"> | undefined
  /** The URL that clients use for the gateway, without the MCP path. Default: from each request. */
  readonly public_url?: Input<"MCP_PUBLIC_URL"> | undefined
  /** The path that is protected and forwarded, with everything below it. Default: `/mcp`. */
  readonly path?: Input<"MCP_PATH"> | undefined
  /** The address to listen on. Default: `127.0.0.1`. */
  readonly host?: Input<"HOST"> | undefined
  /** The port to listen on; 0 lets the system choose. Default: `3000`. */
  readonly port?: Input<"PORT"> | undefined
  /** Read the configuration again whenever one of its files has changed, as after SIGHUP. Default: `false`. */
  readonly config_watch?: Input<"MCP_CONFIG_WATCH"> | undefined
  /** How many processes serve the port together; `auto`: one for each available core. Default: `1`. */
  readonly workers?: Input<"MCP_WORKERS"> | undefined
  /** How long the fields of a request may take to arrive, in seconds. Default: `10`. */
  readonly client_head_timeout?: Input<"MCP_CLIENT_HEAD_TIMEOUT"> | undefined
  /** How long a request may take to arrive completely, in seconds. Default: `60`. */
  readonly client_body_timeout?: Input<"MCP_CLIENT_BODY_TIMEOUT"> | undefined
  /**
   * How long an idle connection of a client is kept, in seconds; choose more than the load balancer in front keeps
   * it. Default: `75`.
   */
  readonly client_idle_timeout?: Input<"MCP_CLIENT_IDLE_TIMEOUT"> | undefined
  /**
   * How many bytes a second a client must send of a body, and read of a response, on average over 10 seconds (60
   * for event streams); a slower client is cut off. `0`: no minimum. Default: `128`.
   */
  readonly client_min_rate?: Input<"MCP_CLIENT_MIN_RATE"> | undefined
  /**
   * How long the gateway keeps serving after SIGTERM while `/readyz` is 503, in seconds, so that load balancers
   * send requests elsewhere. Default: `0`.
   */
  readonly shutdown_delay?: Input<"MCP_SHUTDOWN_DELAY"> | undefined
  /** How long open responses may take to end after SIGTERM, in seconds. Default: `10`. */
  readonly shutdown_timeout?: Input<"MCP_SHUTDOWN_TIMEOUT"> | undefined
  /** `false` forwards every request, without an identity. Default: `true`. */
  readonly auth_enabled?: Input<"MCP_AUTH_ENABLED"> | undefined
  /** Scopes that every token must have. Default: none. */
  readonly required_scopes?: Input<"MCP_REQUIRED_SCOPES"> | undefined
  /** Scopes that the protected resource metadata lists. Default: the required scopes, and those of the rules. */
  readonly scopes_supported?: Input<"MCP_SCOPES_SUPPORTED"> | undefined
  /**
   * The request field with the token. MCP clients send `Authorization`. Another field, such as
   * `Cf-Access-Jwt-Assertion`, is for gateways behind a proxy that signs callers in itself; it contains nothing but
   * the token, and `Authorization` is then ignored. Default: `authorization`.
   */
  readonly token_header?: Input<"MCP_TOKEN_HEADER"> | undefined
  /**
   * Callers that are allowed, by verified e-mail address. If any of `MCP_ALLOWED_EMAILS`,
   * `MCP_ALLOWED_EMAIL_DOMAINS` and `MCP_ALLOWED_SUBJECTS` is set, a caller must be on one of these lists; others
   * get 403. Default: no list.
   */
  readonly allowed_emails?: Input<"MCP_ALLOWED_EMAILS"> | undefined
  /**
   * Domains whose callers are allowed, by verified e-mail address: `example.com`, `*.example.com`. Default: no
   * list.
   */
  readonly allowed_email_domains?: Input<"MCP_ALLOWED_EMAIL_DOMAINS"> | undefined
  /** Callers that are allowed, by `sub`, character for character. Default: no list. */
  readonly allowed_subjects?: Input<"MCP_ALLOWED_SUBJECTS"> | undefined
  /**
   * Browser origins that may call; a request from another origin gets 403. Default: loopback origins if `HOST` is
   * loopback, else `*`.
   */
  readonly allowed_origins?: Input<"MCP_ALLOWED_ORIGINS"> | undefined
  /** Networks whose `X-Forwarded-*` fields are trusted. Default: `none`. */
  readonly trusted_proxies?: Input<"MCP_TRUSTED_PROXIES"> | undefined
  /**
   * `true` makes `/forward-auth` a decision point for a proxy that forwards requests itself: nginx `auth_request`,
   * Caddy and Traefik forward auth, Envoy `ext_authz`. Default: `false`.
   */
  readonly forward_auth?: Input<"MCP_FORWARD_AUTH"> | undefined
  /**
   * What `/forward-auth` responds if rules need the body of a request, which proxies do not send: `deny`, or
   * `allow` every caller with a valid token. MCP names methods and tools in fields since revision 2026-07-28.
   * Default: `deny`.
   */
  readonly forward_auth_unread?: Input<"MCP_FORWARD_AUTH_UNREAD"> | undefined
  /**
   * A PEM file with certificate authorities to trust in addition to the system's, for providers and for the MCP
   * server. Default: the system's authorities alone.
   */
  readonly ca_file?: Input<"MCP_CA_FILE"> | undefined
  /**
   * Hosts in a private network that may be reached over plain http: providers, and the host of `MCP_PUBLIC_URL`.
   * Default: none.
   */
  readonly allow_http?: Input<"MCP_ALLOW_HTTP"> | undefined
  /** Tolerance for times in tokens, in seconds. Default: `60`. */
  readonly clock_skew?: Input<"MCP_CLOCK_SKEW"> | undefined
  /**
   * Who may use which methods, tools, prompts and resources: an array of [rules](../rules/README.md), the first
   * match decides. Default: none.
   */
  readonly rules?: Input<"MCP_RULES"> | undefined
  /**
   * What decides about a message that no rule matches: `authenticated` allows it for every caller with a valid
   * token, `deny` for no caller. Default: `authenticated`.
   */
  readonly default_rule?: Input<"MCP_DEFAULT_RULE"> | undefined
  /** Scopes that include others: `{"admin": ["write"], "write": ["read"]}`, transitively. Default: none. */
  readonly scope_implies?: Input<"MCP_SCOPE_IMPLIES"> | undefined
  /**
   * Fill in what the documentation of a provider says about its tokens: the name of a
   * [preset](../providers/presets/README.md). Settings that you give yourself take precedence. Default: none.
   */
  readonly provider_preset?: PresetName | undefined
  /** How tokens are verified; `jwt` means `oidc`. Default: from what is given. */
  readonly provider_type?: ProviderTypeName | undefined
  /** The name of the provider in identities and logs. Default: the type. */
  readonly provider_name?: Input<"MCP_PROVIDER_NAME"> | undefined
  /** The issuer, exactly as the `iss` claim has it; a bare domain gets `https://`. */
  readonly jwt_issuer?: Input<"MCP_JWT_ISSUER"> | undefined
  /** Audiences of which a token must have one; `auto` is the public URL with the MCP path. Default: not checked. */
  readonly jwt_audience?: Input<"MCP_JWT_AUDIENCE"> | undefined
  /**
   * OAuth clients whose tokens are accepted, by `client_id`, `azp`, `appid` and `cid`. For a token without `aud`,
   * this check replaces the check of the audience. Default: not checked.
   */
  readonly allowed_clients?: Input<"MCP_ALLOWED_CLIENTS"> | undefined
  /** Where the issuer publishes its keys. Default: AuthKit: `{issuer}/oauth2/jwks`; OIDC: discovery. */
  readonly jwt_jwks_uri?: Input<"MCP_JWT_JWKS_URI"> | undefined
  /**
   * Where the issuer's metadata is, if it is not below the issuer or cannot be reached there. The document must
   * name the issuer. Default: the well-known places of the issuer.
   */
  readonly discovery_url?: Input<"MCP_DISCOVERY_URL"> | undefined
  /**
   * Tenants that are allowed, if the issuer has a placeholder for the tenant:
   * `https://idp.example/{tenantid}/v2.0`. Default: none.
   */
  readonly jwt_tenants?: Input<"MCP_JWT_TENANTS"> | undefined
  /**
   * Add PKCE (`S256`) to the metadata that clients get if the provider's document does not mention it, because MCP
   * clients give up without it. Set `false` for a provider that has no PKCE. Default: `true`.
   */
  readonly assume_pkce?: Input<"MCP_ASSUME_PKCE"> | undefined
  /**
   * Name the gateway as the authorization server, and list the provider's endpoints in the gateway's own metadata,
   * for clients that cannot use the provider's document. Default: `false`.
   */
  readonly stand_in_metadata?: Input<"MCP_STAND_IN_METADATA"> | undefined
  /** The issuer's public key, in place of a key set; `\n` stands for a line break. */
  readonly jwt_public_key?: Input<"MCP_JWT_PUBLIC_KEY"> | undefined
  /** Signature algorithms that are accepted. Default: `RS256`. */
  readonly jwt_algorithm?: Input<"MCP_JWT_ALGORITHM"> | undefined
  /** Accept only tokens of type `at+jwt` (RFC 9068). Default: `false`. */
  readonly require_at_jwt?: Input<"MCP_REQUIRE_AT_JWT"> | undefined
  /**
   * `true`: leave out an e-mail address unless `email_verified` is true. `false`: leave it out only if
   * `email_verified` is false; written explicitly, it also makes addresses without `email_verified` count for the
   * lists and rules. Default: `false`, but rules and allow-lists look only at addresses whose `email_verified` is
   * true.
   */
  readonly require_verified_email?: Input<"MCP_REQUIRE_VERIFIED_EMAIL"> | undefined
  /**
   * Claims that name the caller: the first one that is present counts. A path leads into objects (`user.id`).
   * `email` counts only if it is verified. Default: `sub`.
   */
  readonly subject_claims?: Input<"MCP_SUBJECT_CLAIMS"> | undefined
  /**
   * Claims that name the OAuth client: the first one that is present counts, and `MCP_ALLOWED_CLIENTS` is compared
   * with all of them. Default: `client_id, azp, appid, cid`.
   */
  readonly client_claims?: Input<"MCP_CLIENT_CLAIMS"> | undefined
  /**
   * Claims with the scopes of a token, as a string of words or an array: the first one that is present counts.
   * Default: `scope, scp`.
   */
  readonly scope_claims?: Input<"MCP_SCOPE_CLAIMS"> | undefined
  /**
   * What clients must request to get a scope, if the provider spells it differently: `{"read": "api://app/read"}`,
   * or `{"*": "api://app/{scope}"}` for all. Metadata and challenges name these scopes. Default: as in tokens.
   */
  readonly scopes_requested?: Input<"MCP_SCOPES_REQUESTED"> | undefined
  /**
   * Claims with the groups and roles of a caller, for rules: all of them count. A path leads into objects
   * (`realm_access.roles`), `*` stands for each member. Default: `groups, roles, realm_access.roles,
   * resource_access.*.roles, permissions, cognito:groups`.
   */
  readonly group_claims?: Input<"MCP_GROUP_CLAIMS"> | undefined
  /**
   * Hosts that the provider's URLs may have. Default: AuthKit: `*.authkit.app, *.workos.com` and the issuer's own
   * host; else any.
   */
  readonly provider_hosts?: Input<"MCP_PROVIDER_HOSTS"> | undefined
  /** @deprecated The former name of `provider_hosts`. */
  readonly allowed_domains?: Input<"MCP_PROVIDER_HOSTS"> | undefined
  /** Tokens that begin with this prefix belong to this provider, regardless of their form. */
  readonly token_prefix?: Input<"MCP_TOKEN_PREFIX"> | undefined
  /** `authorization_endpoint` in the metadata that clients get. */
  readonly oauth_authorize_endpoint?: Input<"MCP_OAUTH_AUTHORIZE_ENDPOINT"> | undefined
  /** `token_endpoint` in the metadata that clients get. */
  readonly oauth_token_endpoint?: Input<"MCP_OAUTH_TOKEN_ENDPOINT"> | undefined
  /**
   * `userinfo_endpoint` in the metadata; for a userinfo provider, where tokens are verified. Default: userinfo:
   * `{issuer}/oauth/userinfo`, or from discovery if that does not respond.
   */
  readonly oauth_userinfo_endpoint?: Input<"MCP_OAUTH_USERINFO_ENDPOINT"> | undefined
  /** Fixed tokens for development: `token:client:subject:scope,scope[:expiry]`, separated by `;`, or JSON. */
  readonly static_tokens?: Input<"MCP_STATIC_TOKENS"> | undefined
  /**
   * The endpoint at which the provider describes the token of a request, in its own format; tokens are verified
   * there.
   */
  readonly tokeninfo_url?: Input<"MCP_TOKENINFO_URL"> | undefined
  /** The parameter of a form in which that endpoint expects the token. Default: GET with a bearer token. */
  readonly tokeninfo_parameter?: Input<"MCP_TOKENINFO_PARAMETER"> | undefined
  /** The introspection endpoint (RFC 7662). Default: from discovery. */
  readonly introspection_url?: Input<"MCP_INTROSPECTION_URL"> | undefined
  /**
   * How the gateway authenticates at the introspection endpoint: HTTP Basic, `client_id` and `client_secret` in the
   * form (`post`), the secret as a bearer token, or not at all. Default: `basic`.
   */
  readonly client_auth?: Input<"MCP_CLIENT_AUTH"> | undefined
  /** The client id for introspection. */
  readonly client_id?: Input<"MCP_CLIENT_ID"> | undefined
  /** The client secret, or bearer token, for introspection. */
  readonly client_secret?: Input<"MCP_CLIENT_SECRET"> | undefined
  /**
   * Make the gateway the authorization server that clients see, for a provider without registration, PKCE or
   * `resource`: [an object](../facade/README.md) with the client that is registered at the provider. Default:
   * clients sign in at the provider itself.
   */
  readonly facade?: Input<"MCP_FACADE"> | undefined
  /** Several providers, in place of the settings that describe one: a JSON array of objects. */
  readonly providers?: ReadonlyArray<ProviderInput | AddedInput<Types[number]>> | undefined
  /**
   * Several MCP servers, in place of `MCP_SERVER_URL`: a JSON array of objects. What an entry leaves out it
   * inherits from the other settings.
   */
  readonly servers?: ReadonlyArray<ServerInput> | undefined
  /** The longest token that is accepted. Default: `16384`. */
  readonly max_token_bytes?: Input<"MCP_MAX_TOKEN_BYTES"> | undefined
  /** The longest JSON-RPC message that is accepted. Default: `4194304`. */
  readonly max_body_bytes?: Input<"MCP_MAX_BODY_BYTES"> | undefined
  /**
   * The longest response with a list (of tools, prompts, resources or templates) that rules are applied to; a
   * longer one gets 502. Default: `16777216`.
   */
  readonly max_list_bytes?: Input<"MCP_MAX_LIST_BYTES"> | undefined
  /**
   * How many connections of clients may be open in a process, and fewer where the system allows fewer open files; a
   * further one closes an idle connection of the address that has the most. Default: `32768`.
   */
  readonly max_client_connections?: Input<"MCP_MAX_CLIENT_CONNECTIONS"> | undefined
  /**
   * How many requests may wait for the MCP server's response at a time; further requests get 502 immediately. One
   * caller can use half of it, several callers get equal shares. Default: `2048`.
   */
  readonly max_waiting?: Input<"MCP_MAX_WAITING"> | undefined
  /**
   * How many connections to the MCP server may be used at a time, event streams not counted; further requests wait
   * for their turn. One caller can use half of it. Default: `1024`.
   */
  readonly max_upstream_connections?: Input<"MCP_MAX_UPSTREAM_CONNECTIONS"> | undefined
  /**
   * How many event streams may be open at a time, each with its own connection to the MCP server; further ones get
   * 502. One caller can use half of it. Default: `32768`.
   */
  readonly max_streams?: Input<"MCP_MAX_STREAMS"> | undefined
  /**
   * How many bytes of longer messages may be held in memory at a time until they are forwarded; beyond that,
   * clients have to wait, and get 503 after 5 seconds. One caller can use half of it. Default: `67108864`.
   */
  readonly max_buffered_bytes?: Input<"MCP_MAX_BUFFERED_BYTES"> | undefined
  /**
   * How often each subject, client, address, server or tool may send messages, and how many wrong tokens an address
   * may send; further requests get 429. Default: none.
   */
  readonly rate_limits?: Input<"MCP_RATE_LIMITS"> | undefined
  /**
   * The Redis or Valkey server that replicas and workers share: `redis://` or `rediss://`. They share rate limits
   * in it and, with `MCP_SESSION_KEY`, verdicts about opaque tokens and the keys of providers. Default: each
   * process has its own memory.
   */
  readonly store_url?: Input<"MCP_STORE_URL"> | undefined
  /** The password of the store. */
  readonly store_password?: Input<"MCP_STORE_PASSWORD"> | undefined
  /**
   * The prefix of all keys in the store; gateways with the same prefix share their entries. Default:
   * `mcp-authorizer:`.
   */
  readonly store_key_prefix?: Input<"MCP_STORE_KEY_PREFIX"> | undefined
  /** How long a request waits for the store, in milliseconds. Default: `100`. */
  readonly store_timeout_millis?: Input<"MCP_STORE_TIMEOUT_MILLIS"> | undefined
  /**
   * What happens to a request that the store cannot count: it passes (`open`), gets 503 (`closed`), or is counted
   * in this process alone (`local`). Default: `open`.
   */
  readonly store_failure?: Input<"MCP_STORE_FAILURE"> | undefined
  /** The dialect of error responses. Default: `oauth`. */
  readonly error_style?: Input<"MCP_ERROR_STYLE"> | undefined
  /**
   * How a tool call without a token or the required scopes is rejected: `http` with 401 or 403, `tool_result` with
   * a result that has the challenge in `_meta`, for hosts that look for it there; listed tools then show their
   * `securitySchemes`. Default: `http`.
   */
  readonly step_up?: Input<"MCP_STEP_UP"> | undefined
  /** The field with the trace id of a request and its response. Default: `X-Trace-Id`. */
  readonly trace_header?: Input<"MCP_TRACE_HEADER"> | undefined
  /**
   * Keep verdicts about tokens in the store, so that other replicas need not verify them again: about opaque tokens
   * in `MCP_STORE_URL`, on Spin about all tokens in the key-value store. Default: `true`.
   */
  readonly store_verdicts?: Input<"MCP_STORE_VERDICTS"> | undefined
  /** The form of log lines. Default: `json`. */
  readonly log_format?: Input<"MCP_LOG_FORMAT"> | undefined
  /**
   * The field names of JSON lines: the gateway's own, those of the Elastic Common Schema, or those of
   * OpenTelemetry. Default: `default`.
   */
  readonly log_names?: Input<"MCP_LOG_NAMES"> | undefined
  /** The lowest level of log lines that are written. Default: `info`. */
  readonly log_level?: Input<"MCP_LOG_LEVEL"> | undefined
  /**
   * Where to write one line of JSON for each decision about a message: `stdout`, or a file, which is reopened on
   * SIGHUP. Default: no audit log.
   */
  readonly audit_log?: Input<"MCP_AUDIT_LOG"> | undefined
  /**
   * How audit entries name subjects and clients: `plain`, or `hmac`, a pseudonym that only the holder of
   * `MCP_SESSION_KEY` can compute. Default: `plain`.
   */
  readonly audit_subjects?: Input<"MCP_AUDIT_SUBJECTS"> | undefined
  /**
   * Arguments of tools that audit entries show, as `tool.argument`; further names select a part of an argument.
   * Default: none.
   */
  readonly audit_arguments?: Input<"MCP_AUDIT_ARGUMENTS"> | undefined
  /**
   * The port with metrics and the status page, for all workers together; 0 lets the system choose. Default: no
   * admin port.
   */
  readonly admin_port?: Input<"MCP_ADMIN_PORT"> | undefined
  /**
   * The address of the admin port. An address that other machines can reach requires `MCP_ADMIN_TOKEN` or
   * `MCP_ADMIN_SCOPES`. Default: `127.0.0.1`.
   */
  readonly admin_host?: Input<"MCP_ADMIN_HOST"> | undefined
  /**
   * The secret for reading the admin port, as a bearer token or as the password in a browser. Default: this machine
   * may read without credentials, if there are no `MCP_ADMIN_SCOPES` either.
   */
  readonly admin_token?: Input<"MCP_ADMIN_TOKEN"> | undefined
  /**
   * Scopes for reading the admin port: a token of a configured provider must have all of them. Default: no token of
   * a provider is accepted there.
   */
  readonly admin_scopes?: Input<"MCP_ADMIN_SCOPES"> | undefined
}
