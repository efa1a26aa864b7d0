// Written by `npm run readme` from the table of settings: change the table.
import type { Used } from "./settings.ts"

/** The settings that describe the gateway itself, as it uses them. */
export interface ResolvedSettings {
  /**
   * Where the MCP server is; what follows the MCP path is appended. `http+unix://%2Frun%2Fmcp.sock/mcp` is `/mcp`
   * behind the Unix socket `/run/mcp.sock`. (`server_url`)
   */
  readonly gatewayUrl: Used<"MCP_SERVER_URL">
  /** Hand the client's token on to the MCP server, which MCP forbids. (`forward_authorization`) */
  readonly forwardAuthorization: Used<"MCP_FORWARD_AUTHORIZATION">
  /** Add `x-auth-*` fields to upstream requests. (`identity_headers`) */
  readonly identityHeaders: Used<"MCP_IDENTITY_HEADERS">
  /**
   * Claims that the MCP server gets in fields of their own: `{"groups": "x-auth-groups", "tid": "x-auth-tenant"}`.
   * Clients cannot send these fields. (`forward_claims`)
   */
  readonly forwardClaims: Used<"MCP_FORWARD_CLAIMS">
  /**
   * Add `params._authContext` to `initialize` requests; `auto`: unless the MCP server rejects it.
   * (`inject_request_context`)
   */
  readonly injectRequestContext: Used<"MCP_INJECT_REQUEST_CONTEXT">
  /**
   * Add `result.serverInfo.authInfo` to responses to `initialize`; `auto`: unless the MCP server rejects additions,
   * or the client speaks MCP 2024-11-05. (`inject_response_context`)
   */
  readonly injectResponseContext: Used<"MCP_INJECT_RESPONSE_CONTEXT">
  /** How long the MCP server may take to begin its response, in milliseconds. (`upstream_timeout`) */
  readonly upstreamTimeoutMillis: Used<"MCP_UPSTREAM_TIMEOUT">
  /**
   * How long a response may take in all, in milliseconds, where its token ends meanwhile; then it is broken off.
   * (`response_timeout`)
   */
  readonly responseTimeoutMillis: Used<"MCP_RESPONSE_TIMEOUT">
  /**
   * How long an idle connection to the MCP server is kept, in milliseconds, where the server does not say
   * (`Keep-Alive`); choose less than it keeps its own. `0`: a new connection for each request.
   * (`upstream_idle_timeout`)
   */
  readonly upstreamIdleMillis: Used<"MCP_UPSTREAM_IDLE_TIMEOUT">
  /** Bind `Mcp-Session-Id` to its caller: to anyone else the session does not exist (404). (`bind_sessions`) */
  readonly bindSessions: Used<"MCP_BIND_SESSIONS">
  /** The secret that binds sessions, the same for all replicas: at least 32 characters. (`session_key`) */
  readonly sessionKeys: Used<"MCP_SESSION_KEY">
  /**
   * What the MCP server can trust: `none`, `identity_jwt` (a JWT that the gateway signs), or an object with `type`
   * `identity_jwt`, `exchange` or `header`: [what they do](../upstream/README.md). Clients cannot send the field
   * that carries it. (`upstream_auth`)
   */
  readonly upstreamAuth: Used<"MCP_UPSTREAM_AUTH">
  /**
   * The private key that signs the tokens of `identity_jwt`: Ed25519 or EC on P-256, as PKCS#8 in PEM or as a JWK;
   * two while it is changed. The first signs; `/.well-known/jwks.json` publishes all. (`signing_key`)
   */
  readonly signingKeys: Used<"MCP_SIGNING_KEY">
  /**
   * A PEM file with the certificate authorities to trust for an https MCP server, in place of all others.
   * (`upstream_ca_file`)
   */
  readonly upstreamCaFile: Used<"MCP_UPSTREAM_CA_FILE">
  /**
   * A PEM file with the certificate that the gateway shows an https MCP server, and those between it and its
   * authority. (`upstream_client_cert_file`)
   */
  readonly upstreamClientCertFile: Used<"MCP_UPSTREAM_CLIENT_CERT_FILE">
  /** A PEM file with the private key of that certificate. (`upstream_client_key_file`) */
  readonly upstreamClientKeyFile: Used<"MCP_UPSTREAM_CLIENT_KEY_FILE">
  /** The name of an https MCP server in TLS (SNI), which its certificate must have. (`upstream_server_name`) */
  readonly upstreamServerName: Used<"MCP_UPSTREAM_SERVER_NAME">
  /** The URL under which clients know the gateway, without the MCP path. (`public_url`) */
  readonly publicUrl: Used<"MCP_PUBLIC_URL">
  /** The path that is protected and forwarded, with all below it. (`path`) */
  readonly path: Used<"MCP_PATH">
  /** The address to listen on. (`host`) */
  readonly host: Used<"HOST">
  /** The port to listen on; 0 lets the system choose. (`port`) */
  readonly port: Used<"PORT">
  /**
   * Read the configuration again whenever a file has changed that it comes from, as after SIGHUP. (`config_watch`)
   */
  readonly configWatch: Used<"MCP_CONFIG_WATCH">
  /** How many processes serve the port together; `auto`: as many as the machine runs at a time. (`workers`) */
  readonly workers: Used<"MCP_WORKERS">
  /** How long the fields of a request may take to arrive, in milliseconds. (`client_head_timeout`) */
  readonly clientHeadMillis: Used<"MCP_CLIENT_HEAD_TIMEOUT">
  /** How long a request may take to arrive whole, in milliseconds. (`client_body_timeout`) */
  readonly clientBodyMillis: Used<"MCP_CLIENT_BODY_TIMEOUT">
  /**
   * How long an idle connection of a client is kept, in milliseconds; choose more than the load balancer in front
   * keeps it. (`client_idle_timeout`)
   */
  readonly clientIdleMillis: Used<"MCP_CLIENT_IDLE_TIMEOUT">
  /**
   * How many bytes a second a client has to send of a body, and to read of a response that waits for it, on average
   * over 10 seconds (60 for event streams); a slower one is cut off. `0`: any. (`client_min_rate`)
   */
  readonly clientMinRate: Used<"MCP_CLIENT_MIN_RATE">
  /**
   * How long the gateway serves on after SIGTERM while `/readyz` is 503, so that load balancers send requests
   * elsewhere, in milliseconds. (`shutdown_delay`)
   */
  readonly shutdownDelayMillis: Used<"MCP_SHUTDOWN_DELAY">
  /** How long open responses may take to end after SIGTERM, in milliseconds. (`shutdown_timeout`) */
  readonly shutdownTimeoutMillis: Used<"MCP_SHUTDOWN_TIMEOUT">
  /** `false` lets every request pass, without an identity. (`auth_enabled`) */
  readonly authEnabled: Used<"MCP_AUTH_ENABLED">
  /** Scopes that every token must have. (`required_scopes`) */
  readonly requiredScopes: Used<"MCP_REQUIRED_SCOPES">
  /** Scopes that the protected resource metadata lists. (`scopes_supported`) */
  readonly scopesSupported: Used<"MCP_SCOPES_SUPPORTED">
  /**
   * The request field in which tokens come. Another one than `Authorization`, which MCP clients send, is for
   * gateways behind a proxy that signs callers in itself: `Cf-Access-Jwt-Assertion`, with the token alone in it.
   * `Authorization` is then ignored. (`token_header`)
   */
  readonly tokenHeader: Used<"MCP_TOKEN_HEADER">
  /**
   * Callers that are let in, by verified e-mail address. A caller must be on one of the lists, where there are any:
   * this, `MCP_ALLOWED_EMAIL_DOMAINS` and `MCP_ALLOWED_SUBJECTS`; others get 403. (`allowed_emails`)
   */
  readonly allowedEmails: Used<"MCP_ALLOWED_EMAILS">
  /**
   * Domains whose callers are let in, by verified e-mail address: `example.com`, `*.example.com`.
   * (`allowed_email_domains`)
   */
  readonly allowedEmailDomains: Used<"MCP_ALLOWED_EMAIL_DOMAINS">
  /** Callers that are let in, by `sub`, character for character. (`allowed_subjects`) */
  readonly allowedSubjects: Used<"MCP_ALLOWED_SUBJECTS">
  /** Browser origins that may call; a request from another origin gets 403. (`allowed_origins`) */
  readonly allowedOrigins: Used<"MCP_ALLOWED_ORIGINS">
  /** Networks whose `X-Forwarded-*` fields are believed. (`trusted_proxies`) */
  readonly trustedProxies: Used<"MCP_TRUSTED_PROXIES">
  /**
   * `true` makes `/forward-auth` a decision point for a proxy that forwards requests itself: nginx `auth_request`,
   * Caddy and Traefik forward auth, Envoy `ext_authz`. (`forward_auth`)
   */
  readonly forwardAuth: Used<"MCP_FORWARD_AUTH">
  /**
   * What `/forward-auth` does where rules need what only the body of a request says, which proxies do not send:
   * `deny`, or `allow` every caller with a good token. Only a revision of MCP from 2026-07-28 on names methods and
   * tools in fields. (`forward_auth_unread`)
   */
  readonly forwardAuthUnread: Used<"MCP_FORWARD_AUTH_UNREAD">
  /**
   * A PEM file with certificate authorities to trust in addition to the system's, for providers and for the MCP
   * server. (`ca_file`)
   */
  readonly caFile: Used<"MCP_CA_FILE">
  /**
   * Hosts inside a private network that may be spoken to over http: providers, and that of `MCP_PUBLIC_URL`.
   * (`allow_http`)
   */
  readonly allowHttp: Used<"MCP_ALLOW_HTTP">
  /** Tolerance for times in tokens, in seconds. (`clock_skew`) */
  readonly clockSkewSeconds: Used<"MCP_CLOCK_SKEW">
  /**
   * Who may use which methods, tools, prompts and resources: an array of [rules](../rules/README.md), the first
   * match decides. (`rules`)
   */
  readonly rules: Used<"MCP_RULES">
  /**
   * What decides a message that no rule matches: `authenticated` allows it for every caller with a valid token,
   * `deny` for no caller. (`default_rule`)
   */
  readonly defaultRule: Used<"MCP_DEFAULT_RULE">
  /** Scopes that include others: `{"admin": ["write"], "write": ["read"]}`, transitively. (`scope_implies`) */
  readonly scopeImplies: Used<"MCP_SCOPE_IMPLIES">
  /** The longest token that is looked at. (`max_token_bytes`) */
  readonly maxTokenBytes: Used<"MCP_MAX_TOKEN_BYTES">
  /** The longest JSON-RPC message that is accepted. (`max_body_bytes`) */
  readonly maxBodyBytes: Used<"MCP_MAX_BODY_BYTES">
  /**
   * The longest response with a list (of tools, prompts, resources or templates) that rules are applied to; a
   * longer one gets 502. (`max_list_bytes`)
   */
  readonly maxListBytes: Used<"MCP_MAX_LIST_BYTES">
  /**
   * How many requests may wait for the MCP server's response at a time; one more gets 502 at once. A caller alone
   * gets half of it, several callers get like shares. (`max_waiting`)
   */
  readonly maxWaiting: Used<"MCP_MAX_WAITING">
  /**
   * How many connections to the MCP server may be used at a time, event streams not counted; further requests wait
   * for their turn. A caller alone gets half of it. (`max_upstream_connections`)
   */
  readonly maxUpstreamConnections: Used<"MCP_MAX_UPSTREAM_CONNECTIONS">
  /**
   * How many event streams may be open at a time, each with a connection of its own to the MCP server; one more
   * gets 502. A caller alone gets half of it. (`max_streams`)
   */
  readonly maxStreams: Used<"MCP_MAX_STREAMS">
  /**
   * How much of longer messages may be held in memory at a time until they are sent on; beyond that clients have to
   * wait, and get 503 after a while. A caller alone gets half of it. (`max_buffered_bytes`)
   */
  readonly maxBufferedBytes: Used<"MCP_MAX_BUFFERED_BYTES">
  /**
   * How often each subject, client, address, server or tool may send messages, and how often an address may be
   * wrong about its token; one more gets 429. (`rate_limits`)
   */
  readonly rateLimits: Used<"MCP_RATE_LIMITS">
  /**
   * The Redis or Valkey server that replicas and workers share: `redis://` or `rediss://`. They count together in
   * it, and with `MCP_SESSION_KEY` share verdicts about opaque tokens and keys of providers. (`store_url`)
   */
  readonly storeUrl: Used<"MCP_STORE_URL">
  /** The password of the store. (`store_password`) */
  readonly storePassword: Used<"MCP_STORE_PASSWORD">
  /**
   * What all keys in the store begin with; gateways with the same prefix share what is there. (`store_key_prefix`)
   */
  readonly storeKeyPrefix: Used<"MCP_STORE_KEY_PREFIX">
  /** How long a request waits for the store, in milliseconds. (`store_timeout_millis`) */
  readonly storeTimeoutMillis: Used<"MCP_STORE_TIMEOUT_MILLIS">
  /**
   * What becomes of a request that the store cannot count: it passes (`open`), gets 503 (`closed`), or is counted
   * in this process alone (`local`). (`store_failure`)
   */
  readonly storeFailure: Used<"MCP_STORE_FAILURE">
  /** The dialect of error responses. (`error_style`) */
  readonly errorStyle: Used<"MCP_ERROR_STYLE">
  /**
   * How a call of a tool is rejected that lacks a token or scopes: `http` by 401 or 403, `tool_result` by a result
   * with the challenge in `_meta`, for hosts that look for it there; then listed tools show their
   * `securitySchemes`. (`step_up`)
   */
  readonly stepUp: Used<"MCP_STEP_UP">
  /** The field with the trace id of a request and its response. (`trace_header`) */
  readonly traceHeader: Used<"MCP_TRACE_HEADER">
  /**
   * Keep in the store what was found about tokens, so that no other replica need find it again: opaque tokens in
   * `MCP_STORE_URL`, on Spin all tokens in the key-value store. (`store_verdicts`)
   */
  readonly storeVerdicts: Used<"MCP_STORE_VERDICTS">
  /** The form of log lines. (`log_format`) */
  readonly logFormat: Used<"MCP_LOG_FORMAT">
  /**
   * What the fields of JSON lines are called: by the gateway, by the Elastic Common Schema, or by OpenTelemetry.
   * (`log_names`)
   */
  readonly logNames: Used<"MCP_LOG_NAMES">
  /** The lowest level of log lines that are written. (`log_level`) */
  readonly logLevel: Used<"MCP_LOG_LEVEL">
  /**
   * Where to write one line of JSON for each decision about a message: `stdout`, or a file, which is opened anew on
   * SIGHUP. (`audit_log`)
   */
  readonly auditLog: Used<"MCP_AUDIT_LOG">
  /**
   * How audit entries name subjects and clients: `plain`, or `hmac`, a pseudonym that only the holder of
   * `MCP_SESSION_KEY` can compute. (`audit_subjects`)
   */
  readonly auditSubjects: Used<"MCP_AUDIT_SUBJECTS">
  /**
   * Arguments of tools that audit entries show, as `tool.argument`, with further names for a part of an argument.
   * (`audit_arguments`)
   */
  readonly auditArguments: Used<"MCP_AUDIT_ARGUMENTS">
  /** The port with metrics and the status page, for all workers together; 0 lets the system choose. (`admin_port`) */
  readonly adminPort: Used<"MCP_ADMIN_PORT">
  /**
   * The address of the admin port. One that other machines reach needs `MCP_ADMIN_TOKEN` or `MCP_ADMIN_SCOPES`.
   * (`admin_host`)
   */
  readonly adminHost: Used<"MCP_ADMIN_HOST">
  /**
   * The secret with which the admin port is read, as a bearer token or as the password of a browser.
   * (`admin_token`)
   */
  readonly adminToken: Used<"MCP_ADMIN_TOKEN">
  /** Scopes with all of which a token of a configured provider may read the admin port. (`admin_scopes`) */
  readonly adminScopes: Used<"MCP_ADMIN_SCOPES">
}
