/**
 * The settings of a gateway after validation: every value is usable as it stands.
 *
 * Nothing here reads a source; `GatewayConfig.ts` does. URLs are kept as strings where they are compared as strings
 * (issuers, audiences, resources), because `URL` would add a slash to a bare origin.
 */
import type * as IpNetwork from "effect/net/IpNetwork"
import type * as Redacted from "effect/Redacted"

/** Signature algorithms that can be allowed (RFC 7518, section 3.1; RFC 8037). `none` and HMAC are not among them. */
export const jwsAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA"
] as const

/** One of them. */
export type JwsAlgorithm = (typeof jwsAlgorithms)[number]

/** What every configured provider has, whatever its type; the type's own file in `providers` says what else there is. */
export interface Provider {
  /** The name of its type. */
  readonly type: string
  /** Unique among the providers; appears as `provider` in the identity that is handed on. */
  readonly name: string
  /** Scopes that a token of this provider must have, beside the gateway's own `requiredScopes`. */
  readonly requiredScopes: ReadonlyArray<string>
  /** Tokens that begin with this are this provider's, whatever their shape. */
  readonly tokenPrefix: string | undefined
  /** Host patterns (`example.com`, `*.example.com`) that this provider's URLs must match; empty: any host. */
  readonly allowedDomains: ReadonlyArray<string>
  /** Hosts, beside this machine, that may be asked over http; none where it is left out. */
  readonly allowHttp?: ReadonlyArray<string> | undefined
}

/** One token of a static provider, and whom it stands for. */
export interface StaticToken {
  readonly token: Redacted.Redacted<string>
  readonly clientId: string
  readonly subject: string
  readonly scopes: ReadonlyArray<string>
  /** Seconds since 1970. */
  readonly expiresAt: number | undefined
  readonly email: string | undefined
  readonly name: string | undefined
}

/** The ways to authenticate at an introspection endpoint, by the names of `MCP_CLIENT_AUTH`. */
export const clientAuthMethods = ["basic", "post", "bearer", "none"] as const

/** Whose forwarding headers are believed. */
export type TrustedProxies =
  | { readonly _tag: "None" }
  | { readonly _tag: "All" }
  | { readonly _tag: "Networks"; readonly networks: ReadonlyArray<IpNetwork.IpNetwork> }

/** Which browser origins may call. `Loopback`: any port of `localhost`, `127.0.0.0/8`, `[::1]`. */
export type AllowedOrigins =
  | { readonly _tag: "Any" }
  | { readonly _tag: "Loopback" }
  /** Serialised origins: lower case, no default port, no slash. */
  | { readonly _tag: "List"; readonly origins: ReadonlyArray<string> }

/** The dialects of error answers, by the names of `MCP_ERROR_STYLE`. */
export const errorStyles = ["oauth", "unauthorized", "jsonrpc", "rfc6750"] as const

/** The dialect of error answers. */
export type ErrorStyle = (typeof errorStyles)[number]

/** What is logged at most, by the names of `MCP_LOG_LEVEL`. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "none"] as const

/** Everything that can be set, resolved: what `GatewayConfig` provides. */
export interface GatewaySettings {
  /** `false`: every request passes, without an identity. */
  readonly authEnabled: boolean
  /** Not empty while `authEnabled`. Names and static tokens are unique. */
  readonly providers: ReadonlyArray<Provider>
  readonly requiredScopes: ReadonlyArray<string>
  /** `scopes_supported` of the protected resource metadata; empty: the member is left out. */
  readonly scopesSupported: ReadonlyArray<string>
  /** Absolute http(s) URL without query or fragment, or one that `gatewaySocket` reads: where the MCP server is. */
  readonly gatewayUrl: string
  /** Begins with a slash, does not end with one (unless it is `/`). */
  readonly path: string
  /** Origin, or origin and path, without a slash at the end; `undefined`: taken from each request. */
  readonly publicUrl: string | undefined
  /** Hosts, beside this machine, that may be spoken to over http: providers', and that of `publicUrl`. */
  readonly allowHttp: ReadonlyArray<string>
  /** The path of a file with certificate authorities in PEM that are trusted beside the system's own. */
  readonly caFile: string | undefined
  readonly trustedProxies: TrustedProxies
  readonly allowedOrigins: AllowedOrigins
  /** Lower case. */
  readonly traceHeader: string
  readonly errorStyle: ErrorStyle
  /** Hand the client's `Authorization` on to the MCP server. */
  readonly forwardAuthorization: boolean
  /** Add `x-auth-*` headers to the upstream request. */
  readonly identityHeaders: boolean
  /** Add `params._authContext` to `initialize` requests; `auto`: unless the MCP server refuses it. */
  readonly injectRequestContext: "auto" | boolean
  /** Add `result.serverInfo.authInfo` to the answer of `initialize`; `auto`: unless server or client may refuse it. */
  readonly injectResponseContext: "auto" | boolean
  /** Session ids belong to the caller that was given them. */
  readonly bindSessions: boolean
  /** Secrets of at least 32 characters: the first is used, others are still understood. Empty: one is made at start. */
  readonly sessionKeys: ReadonlyArray<Redacted.Redacted<string>>
  readonly maxTokenBytes: number
  readonly maxBodyBytes: number
  /** Tolerance for `exp`, `nbf` and `iat`, in seconds, 0 to 300. */
  readonly clockSkewSeconds: number
  /** How long the MCP server may take to begin its answer. */
  readonly upstreamTimeoutMillis: number
  /** How long a response may take in all where its token ends meanwhile. */
  readonly responseTimeoutMillis: number
  /** How long the fields of a request may take to arrive. */
  readonly clientHeadMillis: number
  /** How long a request may take to arrive whole. */
  readonly clientBodyMillis: number
  /** How long an idle connection of a client is kept. */
  readonly clientIdleMillis: number
  /** Bytes in a second that a client has to send or read at least while that is its turn; 0: any. */
  readonly clientMinRate: number
  /** How long an idle connection to the MCP server is kept; 0: connections serve once. */
  readonly upstreamIdleMillis: number
  /** How many requests may wait for the head of an answer at the same time. */
  readonly maxWaiting: number
  /** How many connections to the MCP server may be used at the same time, those of event streams not counted. */
  readonly maxUpstreamConnections: number
  /** How many event streams may be open at the same time. */
  readonly maxStreams: number
  /** How many bytes of messages that are not sent yet may be held. */
  readonly maxBufferedBytes: number
  /** How long open answers may take to end after SIGTERM. */
  readonly shutdownTimeoutMillis: number
  readonly host: string
  /** 0: the system chooses. */
  readonly port: number
  /** How many processes the program on Node runs; a program that embeds the gateway, and other hosts, run one. */
  readonly workers: number | "auto"
  /** Hosts that run an instance for each request keep what was found about tokens in their key-value store. */
  readonly storeVerdicts: boolean
  readonly logFormat: "json" | "pretty"
  readonly logLevel: (typeof logLevels)[number]
}
