/**
 * The settings of a gateway after validation.
 *
 * `GatewayConfig.ts` reads them. Issuers, audiences and resources are URLs that are compared as strings. They are stored
 * as strings, because `URL` would add a slash to a bare origin.
 */
import type * as IpNetwork from "effect/net/IpNetwork"
import type * as Redacted from "effect/Redacted"
import type { Json } from "../identity/Json.ts"
import type { Policy } from "../rules/Policy.ts"
import type { Facade } from "./Facade.ts"
import type { StringMap } from "./kinds/stringMap.ts"
import type { ResolvedSettings } from "./ResolvedSettings.ts"

/** Signature algorithms that can be allowed (RFC 7518, section 3.1; RFC 8037). They do not include `none` and HMAC. */
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

export type JwsAlgorithm = (typeof jwsAlgorithms)[number]

/** The claims in which a provider names the caller, the client and the scopes; the default ones if left out. */
export interface ClaimNames {
  readonly subjectClaims?: ReadonlyArray<string> | undefined
  readonly clientClaims?: ReadonlyArray<string> | undefined
  readonly scopeClaims?: ReadonlyArray<string> | undefined
}

/** The fields of a provider that its preset has decided, in the terms of the config file. */
export interface DecidedFields {
  readonly name: string
  readonly fields: { readonly [field: string]: Json }
}

/**
 * The members of every configured provider, regardless of its type; the file of the type in `providers` has the rest.
 */
export interface Provider {
  readonly type: string
  /** Unique among the providers; appears as `provider` in the identity that is forwarded. */
  readonly name: string
  /** Scopes that a token of this provider must have, in addition to the gateway's own `requiredScopes`. */
  readonly requiredScopes: ReadonlyArray<string>
  /** Tokens that begin with this prefix belong to this provider, regardless of their form. */
  readonly tokenPrefix: string | undefined
  /** Host patterns (`example.com`, `*.example.com`) that this provider's URLs must match; empty: any host. */
  readonly allowedDomains: ReadonlyArray<string>
  /** Whether clients get the gateway's own metadata with the provider's endpoints (`discovery/standIn.ts`). */
  readonly standInMetadata?: boolean | undefined
  readonly preset?: DecidedFields | undefined
  /** What clients must request to get a scope, by its name in tokens (`requestedScope`); the same if left out. */
  readonly scopesRequested?: StringMap | undefined
  /** Hosts that may be requested over http, in addition to this machine; no host by default. */
  readonly allowHttp?: ReadonlyArray<string> | undefined
  /** The gateway in the role of the authorization server; if left out, clients sign in at the provider itself. */
  readonly facade?: Facade | undefined
}

/** One token of a static provider, and its caller. */
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

/** A provider type that a program has added; see `providers/ProviderType.ts`. */
export interface AddedType {
  /** The value of `type` in a provider's entry. */
  readonly name: string
}

/** The peers whose forwarding headers are trusted. */
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

/** The dialects of error responses, by the names of `MCP_ERROR_STYLE`. */
export const errorStyles = ["oauth", "unauthorized", "jsonrpc", "rfc6750"] as const

export type ErrorStyle = (typeof errorStyles)[number]

/** What a decision point responds if the rules need the body of a request (`MCP_FORWARD_AUTH_UNREAD`). */
export const unreadMessages = ["deny", "allow"] as const

/** How a call that lacks a token or scopes is rejected, by the names of `MCP_STEP_UP`. */
export const stepUps = ["http", "tool_result"] as const

/** The dimensions by which requests are counted, in the words of `MCP_RATE_LIMITS`. */
export const limitDimensions = ["subject", "client", "address", "server", "tool"] as const

export type LimitDimension = (typeof limitDimensions)[number]

/** How requests are counted over time, in the words of `MCP_RATE_LIMITS`. */
export const limitAlgorithms = ["fixed-window", "token-bucket"] as const

/** One limit of `MCP_RATE_LIMITS`. */
export interface RateLimit {
  /** What has its own counter, in the order of `limitDimensions`. */
  readonly by: ReadonlyArray<LimitDimension>
  /** Messages to a server, or tokens that were rejected. */
  readonly on: "messages" | "failures"
  /** How many of them are allowed in a window. */
  readonly limit: number
  readonly windowMillis: number
  readonly algorithm: (typeof limitAlgorithms)[number]
  /** Patterns of the tools whose calls are counted; `undefined` to count every message. */
  readonly tools: ReadonlyArray<string> | undefined
  /** Patterns of the names of servers; `undefined` for every server. */
  readonly servers: ReadonlyArray<string> | undefined
}

/** What happens to a request that the store cannot count, by the names of `MCP_STORE_FAILURE`. */
export const storeFailures = ["open", "closed", "local"] as const

/** The lowest level that is logged, by the names of `MCP_LOG_LEVEL`. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "none"] as const

/** How audit entries name subjects and clients, by the names of `MCP_AUDIT_SUBJECTS`. */
export const auditSubjects = ["plain", "hmac"] as const

/** All settings, resolved, as `GatewayConfig` provides them. */
export interface GatewaySettings extends ResolvedSettings {
  /** The name of the MCP server that these settings are for; empty if the gateway has one server without a name. */
  readonly serverName: string
  /** The host that requests for the server name, with a port if only that one is meant; `undefined`: any host. */
  readonly serverHost: string | undefined
  /**
   * The MCP servers of a gateway that has several, each with its own settings; empty if these are the settings of the
   * only server.
   */
  readonly servers: ReadonlyArray<GatewaySettings>
  /** Not empty if `authEnabled`. Names and static tokens are unique. */
  readonly providers: ReadonlyArray<Provider>
  /** The rules about who may do what; `undefined` if there are none. */
  readonly policy: Policy | undefined
  /** Provider types in addition to the gateway's own. */
  readonly addedTypes?: ReadonlyArray<AddedType> | undefined
}

/** The settings of each MCP server: of those in `servers`, or of the only one. */
export const serversOf = (settings: GatewaySettings): ReadonlyArray<GatewaySettings> =>
  settings.servers.length === 0 ? [settings] : settings.servers
