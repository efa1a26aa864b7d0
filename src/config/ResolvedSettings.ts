// Written by `npm run readme` from the table of settings: change the table.
import type { Used } from "./settings.ts"

/** The settings that describe the gateway itself, as it uses them. */
export interface ResolvedSettings {
  /**
   * The URL of the MCP server; the rest of a path after the MCP path is appended.
   * `http+unix://%2Frun%2Fmcp.sock/mcp` is `/mcp` behind the Unix socket `/run/mcp.sock`. (`server_url`)
   */
  readonly gatewayUrl: Used<"MCP_SERVER_URL">
  /** Forward the client's token to the MCP server, which MCP forbids. (`forward_authorization`) */
  readonly forwardAuthorization: Used<"MCP_FORWARD_AUTHORIZATION">
  /** Add `x-auth-*` fields to upstream requests. (`identity_headers`) */
  readonly identityHeaders: Used<"MCP_IDENTITY_HEADERS">
  /**
   * Claims that the MCP server gets in separate fields: `{"groups": "x-auth-groups", "tid": "x-auth-tenant"}`.
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
   * How long a response may take in total, in milliseconds, if its token expires before it ends; after that it is
   * aborted. (`response_timeout`)
   */
  readonly responseTimeoutMillis: Used<"MCP_RESPONSE_TIMEOUT">
  /**
   * How long an idle connection to the MCP server is kept, in milliseconds, if the server sends no `Keep-Alive`;
   * choose less than the server's own timeout. `0`: a new connection for each request. (`upstream_idle_timeout`)
   */
  readonly upstreamIdleMillis: Used<"MCP_UPSTREAM_IDLE_TIMEOUT">
  /** Bind `Mcp-Session-Id` to its caller: for anyone else the session does not exist (404). (`bind_sessions`) */
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
   * two while you replace it. The first signs; `/.well-known/jwks.json` publishes all. (`signing_key`)
   */
  readonly signingKeys: Used<"MCP_SIGNING_KEY">
  /**
   * A PEM file with the certificate authorities to trust for an https MCP server, in place of all others.
   * (`upstream_ca_file`)
   */
  readonly upstreamCaFile: Used<"MCP_UPSTREAM_CA_FILE">
  /**
   * A PEM file with the certificate that the gateway presents to an https MCP server, and its intermediate
   * certificates. (`upstream_client_cert_file`)
   */
  readonly upstreamClientCertFile: Used<"MCP_UPSTREAM_CLIENT_CERT_FILE">
  /** A PEM file with the private key of that certificate. (`upstream_client_key_file`) */
  readonly upstreamClientKeyFile: Used<"MCP_UPSTREAM_CLIENT_KEY_FILE">
  /** The name of an https MCP server in TLS (SNI), which its certificate must have. (`upstream_server_name`) */
  readonly upstreamServerName: Used<"MCP_UPSTREAM_SERVER_NAME">
  /** The URL that clients use for the gateway, without the MCP path. (`public_url`) */
  readonly publicUrl: Used<"MCP_PUBLIC_URL">
  /** The path that is protected and forwarded, with everything below it. (`path`) */
  readonly path: Used<"MCP_PATH">
  /** The address to listen on. (`host`) */
  readonly host: Used<"HOST">
  /** The port to listen on; 0 lets the system choose. (`port`) */
  readonly port: Used<"PORT">
  /** Read the configuration again whenever one of its files has changed, as after SIGHUP. (`config_watch`) */
  readonly configWatch: Used<"MCP_CONFIG_WATCH">
  /** How many processes serve the port together; `auto`: one for each available core. (`workers`) */
  readonly workers: Used<"MCP_WORKERS">
  /** How long the fields of a request may take to arrive, in milliseconds. (`client_head_timeout`) */
  readonly clientHeadMillis: Used<"MCP_CLIENT_HEAD_TIMEOUT">
  /** How long a request may take to arrive completely, in milliseconds. (`client_body_timeout`) */
  readonly clientBodyMillis: Used<"MCP_CLIENT_BODY_TIMEOUT">
  /**
   * How long an idle connection of a client is kept, in milliseconds; choose more than the load balancer in front
   * keeps it. (`client_idle_timeout`)
   */
  readonly clientIdleMillis: Used<"MCP_CLIENT_IDLE_TIMEOUT">
  /**
   * How many bytes a second a client must send of a body, and read of a response, on average over 10 seconds (60
   * for event streams); a slower client is cut off. `0`: no minimum. (`client_min_rate`)
   */
  readonly clientMinRate: Used<"MCP_CLIENT_MIN_RATE">
  /**
   * How long the gateway keeps serving after SIGTERM while `/readyz` is 503, in milliseconds, so that load
   * balancers send requests elsewhere. (`shutdown_delay`)
   */
  readonly shutdownDelayMillis: Used<"MCP_SHUTDOWN_DELAY">
  /** How long open responses may take to end after SIGTERM, in milliseconds. (`shutdown_timeout`) */
  readonly shutdownTimeoutMillis: Used<"MCP_SHUTDOWN_TIMEOUT">
  /** `false` forwards every request, without an identity. (`auth_enabled`) */
  readonly authEnabled: Used<"MCP_AUTH_ENABLED">
  /** Scopes that every token must have. (`required_scopes`) */
  readonly requiredScopes: Used<"MCP_REQUIRED_SCOPES">
  /** Scopes that the protected resource metadata lists. (`scopes_supported`) */
  readonly scopesSupported: Used<"MCP_SCOPES_SUPPORTED">
  /**
   * The request field with the token. MCP clients send `Authorization`. Another field, such as
   * `Cf-Access-Jwt-Assertion`, is for gateways behind a proxy that signs callers in itself; it contains nothing but
   * the token, and `Authorization` is then ignored. (`token_header`)
   */
  readonly tokenHeader: Used<"MCP_TOKEN_HEADER">
  /**
   * Callers that are allowed, by verified e-mail address. If any of `MCP_ALLOWED_EMAILS`,
   * `MCP_ALLOWED_EMAIL_DOMAINS` and `MCP_ALLOWED_SUBJECTS` is set, a caller must be on one of these lists; others
   * get 403. (`allowed_emails`)
   */
  readonly allowedEmails: Used<"MCP_ALLOWED_EMAILS">
  /**
   * Domains whose callers are allowed, by verified e-mail address: `example.com`, `*.example.com`.
   * (`allowed_email_domains`)
   */
  readonly allowedEmailDomains: Used<"MCP_ALLOWED_EMAIL_DOMAINS">
  /** Callers that are allowed, by `sub`, character for character. (`allowed_subjects`) */
  readonly allowedSubjects: Used<"MCP_ALLOWED_SUBJECTS">
  /** Browser origins that may call; a request from another origin gets 403. (`allowed_origins`) */
  readonly allowedOrigins: Used<"MCP_ALLOWED_ORIGINS">
  /** Networks whose `X-Forwarded-*` fields are trusted. (`trusted_proxies`) */
  readonly trustedProxies: Used<"MCP_TRUSTED_PROXIES">
  /**
   * `true` makes `/forward-auth` a decision point for a proxy that forwards requests itself: nginx `auth_request`,
   * Caddy and Traefik forward auth, Envoy `ext_authz`. (`forward_auth`)
   */
  readonly forwardAuth: Used<"MCP_FORWARD_AUTH">
  /**
   * What `/forward-auth` responds if rules need the body of a request, which proxies do not send: `deny`, or
   * `allow` every caller with a valid token. MCP names methods and tools in fields since revision 2026-07-28.
   * (`forward_auth_unread`)
   */
  readonly forwardAuthUnread: Used<"MCP_FORWARD_AUTH_UNREAD">
  /**
   * A PEM file with certificate authorities to trust in addition to the system's, for providers and for the MCP
   * server. (`ca_file`)
   */
  readonly caFile: Used<"MCP_CA_FILE">
  /**
   * Hosts in a private network that may be reached over plain http: providers, and the host of `MCP_PUBLIC_URL`.
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
   * What decides about a message that no rule matches: `authenticated` allows it for every caller with a valid
   * token, `deny` for no caller. (`default_rule`)
   */
  readonly defaultRule: Used<"MCP_DEFAULT_RULE">
  /** Scopes that include others: `{"admin": ["write"], "write": ["read"]}`, transitively. (`scope_implies`) */
  readonly scopeImplies: Used<"MCP_SCOPE_IMPLIES">
  /** The longest token that is accepted. (`max_token_bytes`) */
  readonly maxTokenBytes: Used<"MCP_MAX_TOKEN_BYTES">
  /** The longest JSON-RPC message that is accepted. (`max_body_bytes`) */
  readonly maxBodyBytes: Used<"MCP_MAX_BODY_BYTES">
  /**
   * The longest response with a list (of tools, prompts, resources or templates) that rules are applied to; a
   * longer one gets 502. (`max_list_bytes`)
   */
  readonly maxListBytes: Used<"MCP_MAX_LIST_BYTES">
  /**
   * How many connections of clients may be open in a process, and fewer where the system allows fewer open files; a
   * further one closes an idle connection of the address that has the most. (`max_client_connections`)
   */
  readonly maxClientConnections: Used<"MCP_MAX_CLIENT_CONNECTIONS">
  /**
   * How many requests may wait for the MCP server's response at a time; further requests get 502 immediately. One
   * caller can use half of it, several callers get equal shares. (`max_waiting`)
   */
  readonly maxWaiting: Used<"MCP_MAX_WAITING">
  /**
   * How many connections to the MCP server may be used at a time, event streams not counted; further requests wait
   * for their turn. One caller can use half of it. (`max_upstream_connections`)
   */
  readonly maxUpstreamConnections: Used<"MCP_MAX_UPSTREAM_CONNECTIONS">
  /**
   * How many event streams may be open at a time, each with its own connection to the MCP server; further ones get
   * 502. One caller can use half of it. (`max_streams`)
   */
  readonly maxStreams: Used<"MCP_MAX_STREAMS">
  /**
   * How many bytes of longer messages may be held in memory at a time until they are forwarded; beyond that,
   * clients have to wait, and get 503 after 5 seconds. One caller can use half of it. (`max_buffered_bytes`)
   */
  readonly maxBufferedBytes: Used<"MCP_MAX_BUFFERED_BYTES">
  /**
   * How often each subject, client, address, server or tool may send messages, and how many wrong tokens an address
   * may send; further requests get 429. (`rate_limits`)
   */
  readonly rateLimits: Used<"MCP_RATE_LIMITS">
  /**
   * The Redis or Valkey server that replicas and workers share: `redis://` or `rediss://`. They share rate limits
   * in it and, with `MCP_SESSION_KEY`, verdicts about opaque tokens and the keys of providers. (`store_url`)
   */
  readonly storeUrl: Used<"MCP_STORE_URL">
  /** The password of the store. (`store_password`) */
  readonly storePassword: Used<"MCP_STORE_PASSWORD">
  /** The prefix of all keys in the store; gateways with the same prefix share their entries. (`store_key_prefix`) */
  readonly storeKeyPrefix: Used<"MCP_STORE_KEY_PREFIX">
  /** How long a request waits for the store, in milliseconds. (`store_timeout_millis`) */
  readonly storeTimeoutMillis: Used<"MCP_STORE_TIMEOUT_MILLIS">
  /**
   * What happens to a request that the store cannot count: it passes (`open`), gets 503 (`closed`), or is counted
   * in this process alone (`local`). (`store_failure`)
   */
  readonly storeFailure: Used<"MCP_STORE_FAILURE">
  /** The dialect of error responses. (`error_style`) */
  readonly errorStyle: Used<"MCP_ERROR_STYLE">
  /**
   * How a tool call without a token or the required scopes is rejected: `http` with 401 or 403, `tool_result` with
   * a result that has the challenge in `_meta`, for hosts that look for it there; listed tools then show their
   * `securitySchemes`. (`step_up`)
   */
  readonly stepUp: Used<"MCP_STEP_UP">
  /** The field with the trace id of a request and its response. (`trace_header`) */
  readonly traceHeader: Used<"MCP_TRACE_HEADER">
  /**
   * Keep verdicts about tokens in the store, so that other replicas need not verify them again: about opaque tokens
   * in `MCP_STORE_URL`, on Spin about all tokens in the key-value store. (`store_verdicts`)
   */
  readonly storeVerdicts: Used<"MCP_STORE_VERDICTS">
  /** The form of log lines. (`log_format`) */
  readonly logFormat: Used<"MCP_LOG_FORMAT">
  /**
   * The field names of JSON lines: the gateway's own, those of the Elastic Common Schema, or those of
   * OpenTelemetry. (`log_names`)
   */
  readonly logNames: Used<"MCP_LOG_NAMES">
  /** The lowest level of log lines that are written. (`log_level`) */
  readonly logLevel: Used<"MCP_LOG_LEVEL">
  /**
   * Where to write one line of JSON for each decision about a message: `stdout`, or a file, which is reopened on
   * SIGHUP. (`audit_log`)
   */
  readonly auditLog: Used<"MCP_AUDIT_LOG">
  /**
   * How audit entries name subjects and clients: `plain`, or `hmac`, a pseudonym that only the holder of
   * `MCP_SESSION_KEY` can compute. (`audit_subjects`)
   */
  readonly auditSubjects: Used<"MCP_AUDIT_SUBJECTS">
  /**
   * Arguments of tools that audit entries show, as `tool.argument`; further names select a part of an argument.
   * (`audit_arguments`)
   */
  readonly auditArguments: Used<"MCP_AUDIT_ARGUMENTS">
  /** The port with metrics and the status page, for all workers together; 0 lets the system choose. (`admin_port`) */
  readonly adminPort: Used<"MCP_ADMIN_PORT">
  /**
   * The address of the admin port. An address that other machines can reach requires `MCP_ADMIN_TOKEN` or
   * `MCP_ADMIN_SCOPES`. (`admin_host`)
   */
  readonly adminHost: Used<"MCP_ADMIN_HOST">
  /** The secret for reading the admin port, as a bearer token or as the password in a browser. (`admin_token`) */
  readonly adminToken: Used<"MCP_ADMIN_TOKEN">
  /** Scopes for reading the admin port: a token of a configured provider must have all of them. (`admin_scopes`) */
  readonly adminScopes: Used<"MCP_ADMIN_SCOPES">
}
