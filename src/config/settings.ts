/**
 * Every setting of the gateway: the one table that variables, file, embedding, JSON Schema and reference come from.
 */
import * as Result from "effect/Result"
import { clientAuthMethods, errorStyles, logLevels } from "./GatewaySettings.ts"
import { algorithms } from "./kinds/algorithms.ts"
import { audience, blankWithin } from "./kinds/audience.ts"
import { domains, hosts } from "./kinds/domains.ts"
import { endpointPath, traceField } from "./kinds/http.ts"
import {
  autoOrBoolean,
  boolean,
  choice,
  integer,
  issuer,
  type Kind,
  list,
  refuse,
  scopes,
  secret,
  text
} from "./kinds/kinds.ts"
import { allowedOrigins, host, trustedProxies } from "./kinds/network.ts"
import { publicKey } from "./kinds/publicKey.ts"
import { sessionKeys } from "./kinds/sessionKeys.ts"
import { staticTokens } from "./kinds/staticTokens.ts"
import { tenants } from "./kinds/tenants.ts"
import { tokenPrefix } from "./kinds/tokenPrefix.ts"
import { gatewayUrl, providerUrl, publicUrl } from "./kinds/urls.ts"
import { workers } from "./kinds/workers.ts"
import { entries, json } from "./sources/nested.ts"

/** One setting, named by its key in the table: the canonical name of its variable. */
export interface Setting<out A = unknown> {
  readonly kind: Kind<A>
  /** One sentence for the reference and the JSON Schema, in Markdown. */
  readonly doc: string
  /** What the setting was called before: accepted as a variable, and as a member of the config file. */
  readonly formerly?: `MCP_${string}`
  /** Other spellings of the variable. */
  readonly aliases?: ReadonlyArray<string>
  /** As one would write it in a variable. */
  readonly default?: string
  /** What happens without a value, where that is not a fixed default. */
  readonly otherwise?: string
  /** The value, or a part of it, must not be shown. */
  readonly secret?: true
  /** May be given by a file, though it is no secret: `MCP_JWT_PUBLIC_KEY_FILE`. */
  readonly inFile?: true
  /** Makes no sense in a file. */
  readonly variableOnly?: true
}

const clients = list(
  "comma list",
  /,/,
  (members) =>
    members.includes("*")
      ? refuse("contains a wildcard", "Name the clients, or leave the setting out to check none")
      : Result.succeed(members),
  blankWithin("a client id")
)

const table = {
  MCP_SERVER_URL: {
    kind: gatewayUrl,
    formerly: "MCP_GATEWAY_URL",
    aliases: ["AUTH_GATEWAY_URL", "MCP_UPSTREAM_URL"],
    otherwise: "must be set; on Spin `http://ftl-mcp-gateway.spin.internal/mcp-internal`",
    doc:
      "Where the MCP server is; what follows the MCP path is appended. `http+unix://%2Frun%2Fmcp.sock/mcp` is `/mcp` " +
      "behind the Unix socket `/run/mcp.sock`."
  },
  MCP_PUBLIC_URL: {
    kind: publicUrl,
    otherwise: "from each request",
    doc: "The URL under which clients know the gateway, without the MCP path."
  },
  MCP_PATH: {
    kind: endpointPath,
    default: "/mcp",
    doc: "The path that is protected and forwarded, with all below it."
  },
  HOST: { kind: host, default: "127.0.0.1", doc: "The address to listen on." },
  PORT: { kind: integer(0, 65_535), default: "3000", doc: "The port to listen on; 0 lets the system choose." },
  MCP_WORKERS: {
    kind: workers,
    default: "1",
    doc: "How many processes serve the port together; `auto`: as many as the machine runs at a time."
  },
  MCP_CONFIG_FILE: { kind: text, variableOnly: true, doc: "A JSON file with settings; variables win over it." },

  MCP_AUTH_ENABLED: {
    kind: boolean,
    aliases: ["AUTH_ENABLED"],
    default: "true",
    doc: "`false` lets every request pass, without an identity."
  },
  MCP_REQUIRED_SCOPES: {
    kind: scopes,
    aliases: ["MCP_JWT_REQUIRED_SCOPES"],
    otherwise: "none",
    doc: "Scopes that every token must have."
  },
  MCP_SCOPES_SUPPORTED: {
    kind: scopes,
    otherwise: "the required scopes",
    doc: "Scopes that the protected resource metadata lists."
  },
  MCP_ALLOWED_ORIGINS: {
    kind: allowedOrigins,
    otherwise: "loopback origins if `HOST` is loopback, else `*`",
    doc: "Browser origins that may call; a request from another one is answered 403."
  },
  MCP_TRUSTED_PROXIES: {
    kind: trustedProxies,
    default: "none",
    doc: "Networks whose `X-Forwarded-*` fields are believed."
  },

  MCP_CA_FILE: {
    kind: text,
    otherwise: "the system's authorities alone",
    doc: "A PEM file with certificate authorities to trust beside the system's, for providers and for the MCP server."
  },
  MCP_ALLOW_HTTP: {
    kind: hosts,
    otherwise: "none",
    doc: "Hosts inside a private network that may be spoken to over http: providers, and that of `MCP_PUBLIC_URL`."
  },

  MCP_PROVIDER_TYPE: {
    kind: choice(["authkit", "oidc", "jwt", "static", "userinfo", "introspection"]),
    aliases: ["AUTH_PROVIDER_TYPE"],
    otherwise: "from what is given",
    doc: "How tokens are verified; `jwt` means `oidc`."
  },
  MCP_PROVIDER_NAME: {
    kind: text,
    aliases: ["AUTH_PROVIDER_NAME"],
    otherwise: "the type",
    doc: "The name of the provider in identities and logs."
  },
  MCP_JWT_ISSUER: {
    kind: issuer,
    aliases: ["AUTH_PROVIDER_ISSUER", "AUTHKIT_ISSUER", "AUTHKIT_DOMAIN"],
    doc: "The issuer, exactly as the `iss` claim has it; a bare domain gets `https://`."
  },
  MCP_JWT_AUDIENCE: {
    kind: audience,
    aliases: ["AUTH_PROVIDER_AUDIENCE", "AUTHKIT_AUDIENCE"],
    otherwise: "not checked",
    doc: "Audiences of which a token must have one; `auto` is the public URL with the MCP path."
  },
  MCP_ALLOWED_CLIENTS: {
    kind: clients,
    otherwise: "not checked",
    doc:
      "OAuth clients whose tokens are accepted, by `client_id`, `azp`, `appid` and `cid`; in a token without `aud` this " +
      "takes its place."
  },
  MCP_JWT_JWKS_URI: {
    kind: providerUrl,
    aliases: ["AUTH_PROVIDER_JWKS_URI", "AUTHKIT_JWKS_URI"],
    otherwise: "AuthKit: `{issuer}/oauth2/jwks`; OIDC: discovery",
    doc: "Where the issuer publishes its keys."
  },
  MCP_DISCOVERY_URL: {
    kind: providerUrl,
    otherwise: "the well-known places of the issuer",
    doc:
      "Where the issuer's metadata is, if that is not below the issuer or not reachable there. It must name the issuer."
  },
  MCP_JWT_TENANTS: {
    kind: tenants,
    otherwise: "none",
    doc: "Tenants that are let in, where the issuer has a place for the tenant: `https://idp.example/{tenantid}/v2.0`."
  },
  MCP_ASSUME_PKCE: {
    kind: boolean,
    default: "true",
    doc:
      "Name PKCE (`S256`) in the metadata that clients get where the provider's own says nothing of it, because MCP " +
      "clients go no further without. `false` for a provider that has none."
  },
  MCP_JWT_PUBLIC_KEY: {
    kind: publicKey,
    inFile: true,
    doc: "The issuer's public key, in place of a key set; `\\n` stands for a line break."
  },
  MCP_JWT_ALGORITHM: { kind: algorithms, default: "RS256", doc: "Signature algorithms that are accepted." },
  MCP_REQUIRE_AT_JWT: { kind: boolean, default: "false", doc: "Accept only tokens of type `at+jwt` (RFC 9068)." },
  MCP_REQUIRE_VERIFIED_EMAIL: {
    kind: boolean,
    default: "false",
    doc: "Leave an e-mail address out unless `email_verified` is true; else it is left out only where that is false."
  },
  MCP_PROVIDER_HOSTS: {
    kind: domains,
    formerly: "MCP_ALLOWED_DOMAINS",
    aliases: ["AUTH_PROVIDER_ALLOWED_DOMAINS"],
    otherwise: "AuthKit: `*.authkit.app, *.workos.com` and the issuer's own host; else any",
    doc: "Hosts that the provider's URLs may have."
  },
  MCP_TOKEN_PREFIX: {
    kind: tokenPrefix,
    doc: "Tokens that begin with this are this provider's, whatever their shape."
  },
  MCP_OAUTH_AUTHORIZE_ENDPOINT: {
    kind: providerUrl,
    aliases: ["AUTH_PROVIDER_AUTHORIZE_ENDPOINT"],
    doc: "`authorization_endpoint` in the metadata that clients get."
  },
  MCP_OAUTH_TOKEN_ENDPOINT: {
    kind: providerUrl,
    aliases: ["AUTH_PROVIDER_TOKEN_ENDPOINT"],
    doc: "`token_endpoint` in the metadata that clients get."
  },
  MCP_OAUTH_USERINFO_ENDPOINT: {
    kind: providerUrl,
    aliases: ["AUTH_PROVIDER_USERINFO_ENDPOINT"],
    otherwise: "userinfo: `{issuer}/oauth/userinfo`, or from discovery if that does not answer",
    doc: "`userinfo_endpoint` in the metadata; for a userinfo provider, where tokens are verified."
  },
  MCP_STATIC_TOKENS: {
    kind: staticTokens,
    secret: true,
    doc: "Fixed tokens for development: `token:client:subject:scope,scope[:expiry]`, separated by `;`, or JSON."
  },
  MCP_INTROSPECTION_URL: {
    kind: providerUrl,
    otherwise: "from discovery",
    doc: "The introspection endpoint (RFC 7662)."
  },
  MCP_CLIENT_AUTH: {
    kind: choice(clientAuthMethods),
    default: "basic",
    doc:
      "How the gateway shows the introspection endpoint who it is: HTTP Basic, `client_id` and `client_secret` in the " +
      "form (`post`), the secret as a bearer token, or not at all."
  },
  MCP_CLIENT_ID: { kind: text, doc: "The client id for introspection." },
  MCP_CLIENT_SECRET: { kind: secret, secret: true, doc: "The client secret, or bearer token, for introspection." },
  MCP_PROVIDERS: {
    kind: entries,
    secret: true,
    doc: "Several providers, in place of the settings that describe one: a JSON array of objects."
  },
  AUTH_CONFIG: {
    kind: json,
    secret: true,
    variableOnly: true,
    doc: "Gateway URL, trace header and providers in one JSON object, as the FTL auth gateway had them."
  },

  MCP_FORWARD_AUTHORIZATION: {
    kind: boolean,
    default: "false",
    doc: "Hand the client's token on to the MCP server, which MCP forbids."
  },
  MCP_IDENTITY_HEADERS: { kind: boolean, default: "true", doc: "Add `x-auth-*` fields to upstream requests." },
  MCP_INJECT_REQUEST_CONTEXT: {
    kind: autoOrBoolean,
    default: "auto",
    doc: "Add `params._authContext` to `initialize` requests; `auto`: unless the MCP server refuses it."
  },
  MCP_INJECT_RESPONSE_CONTEXT: {
    kind: autoOrBoolean,
    default: "auto",
    doc:
      "Add `result.serverInfo.authInfo` to answers of `initialize`; `auto`: unless the MCP server refuses additions, or the " +
      "client speaks MCP 2024-11-05."
  },
  MCP_UPSTREAM_TIMEOUT: {
    kind: integer(1, 86_400),
    default: "300",
    doc: "How long the MCP server may take to begin its answer, in seconds."
  },
  MCP_RESPONSE_TIMEOUT: {
    kind: integer(1, 604_800),
    default: "3600",
    doc: "How long a response may take in all, in seconds, where its token ends meanwhile; then it is broken off."
  },

  MCP_CLIENT_HEAD_TIMEOUT: {
    kind: integer(1, 3600),
    default: "10",
    doc: "How long the fields of a request may take to arrive, in seconds."
  },
  MCP_CLIENT_BODY_TIMEOUT: {
    kind: integer(1, 86_400),
    default: "60",
    doc: "How long a request may take to arrive whole, in seconds."
  },
  MCP_CLIENT_IDLE_TIMEOUT: {
    kind: integer(1, 3600),
    default: "75",
    doc:
      "How long an idle connection of a client is kept, in seconds; choose more than the load balancer in front keeps it."
  },
  MCP_CLIENT_MIN_RATE: {
    kind: integer(0, 1_048_576),
    default: "128",
    doc:
      "How many bytes a second a client has to send of a body, and to read of an answer that waits for it, on average over " +
      "10 seconds (60 for event streams); a slower one is cut off. `0`: any."
  },
  MCP_UPSTREAM_IDLE_TIMEOUT: {
    kind: integer(0, 3600),
    default: "1",
    doc:
      "How long an idle connection to the MCP server is kept, in seconds, where the server does not say (`Keep-Alive`); " +
      "choose less than it keeps its own. `0`: a new connection for each request."
  },
  MCP_BIND_SESSIONS: {
    kind: boolean,
    default: "true",
    doc: "Bind `Mcp-Session-Id` to its caller: to anyone else the session does not exist (404)."
  },
  MCP_SESSION_KEY: {
    kind: sessionKeys,
    secret: true,
    otherwise: "made at start; on Spin sessions are then not bound",
    doc: "The secret that binds sessions, the same for all replicas: at least 32 characters."
  },

  MCP_ERROR_STYLE: { kind: choice(errorStyles), default: "oauth", doc: "The dialect of error answers." },
  MCP_TRACE_HEADER: {
    kind: traceField,
    aliases: ["AUTH_TRACE_HEADER"],
    default: "X-Trace-Id",
    doc: "The field with the trace id of a request and its answer."
  },
  MCP_CLOCK_SKEW: { kind: integer(0, 300), default: "60", doc: "Tolerance for times in tokens, in seconds." },
  MCP_MAX_TOKEN_BYTES: { kind: integer(256, 65_536), default: "16384", doc: "The longest token that is looked at." },
  MCP_MAX_BODY_BYTES: {
    kind: integer(1024, 1_073_741_824),
    default: "4194304",
    doc: "The longest JSON-RPC message that is accepted."
  },
  MCP_MAX_WAITING: {
    kind: integer(1, 65_536),
    default: "2048",
    doc:
      "How many requests may wait for the MCP server's answer at a time; one more is answered 502 at once. A caller " +
      "alone gets half of it, several callers get like shares."
  },
  MCP_MAX_UPSTREAM_CONNECTIONS: {
    kind: integer(1, 65_536),
    default: "1024",
    doc:
      "How many connections to the MCP server may be used at a time, event streams not counted; further requests wait " +
      "for their turn. A caller alone gets half of it."
  },
  MCP_MAX_STREAMS: {
    kind: integer(1, 1_048_576),
    default: "32768",
    doc:
      "How many event streams may be open at a time, each with a connection of its own to the MCP server; one more is " +
      "answered 502. A caller alone gets half of it."
  },
  MCP_MAX_BUFFERED_BYTES: {
    kind: integer(4_194_304, 17_179_869_184),
    default: "67108864",
    doc:
      "How much of longer messages may be held in memory at a time until they are sent on; beyond that clients have to " +
      "wait, and are answered 503 after a while. A caller alone gets half of it."
  },
  MCP_SHUTDOWN_TIMEOUT: {
    kind: integer(0, 3600),
    default: "10",
    doc: "How long open answers may take to end after SIGTERM, in seconds."
  },
  MCP_STORE_VERDICTS: {
    kind: boolean,
    default: "true",
    doc:
      "On Spin, keep in the key-value store what was found about tokens, so that no other instance need find it again."
  },
  MCP_LOG_FORMAT: { kind: choice(["json", "pretty"]), default: "json", doc: "The form of log lines." },
  MCP_LOG_LEVEL: { kind: choice(logLevels), default: "info", doc: "The least important log lines that are written." }
} as const satisfies Record<string, Setting>

type Table = typeof table

/** The canonical name of a setting's variable. */
export type SettingName = keyof Table

/** What a setting is after decoding. */
export type Decoded<N extends SettingName> = Table[N]["kind"] extends Kind<infer A> ? A : never

/** What a setting is in TypeScript code. */
export type Input<N extends SettingName> = Table[N]["kind"] extends Kind<unknown, infer I> ? I : never

/** Settings that had another name. */
export type RenamedName = { [N in SettingName]: Table[N] extends { formerly: string } ? N : never }[SettingName]

/** What a setting was called before. */
export type FormerName<N extends RenamedName> = Table[N]["formerly"]

/** Settings that always have a value. */
export type DefaultedName = { [N in SettingName]: Table[N] extends { default: string } ? N : never }[SettingName]

/** Settings that exist only as variables. */
export type VariableOnlyName = { [N in SettingName]: Table[N] extends { variableOnly: true } ? N : never }[SettingName]

/** The table, by canonical name, in the order of the reference. */
export const settings: { readonly [N in SettingName]: Setting<Decoded<N>> } = table

/** The names in the order of the reference. */
// `Object.keys` has no narrower type; the table is a constant.
export const settingNames = Object.keys(table) as ReadonlyArray<SettingName>

/** A setting's member in the config file: `MCP_SERVER_URL` is `server_url`. */
export type FileKey<N extends string> = N extends `MCP_${infer Rest}` ? Lowercase<Rest> : Lowercase<N>

/** The member of the config file that belongs to the name of a variable. */
export const fileKey = (name: string): string => name.replace(/^MCP_/, "").toLowerCase()

/** Every name that a setting has as a variable, the canonical one first. */
export const spellingsOf = (name: SettingName): ReadonlyArray<string> => {
  const { aliases = [], formerly } = settings[name]
  return [name, ...(formerly === undefined ? [] : [formerly]), ...aliases]
}

/** Every name that a setting has in the config file, the canonical one first; none for one that is a variable only. */
export const fileKeysOf = (name: SettingName): ReadonlyArray<string> => {
  const { formerly, variableOnly } = settings[name]
  if (variableOnly === true) return []
  return [fileKey(name), ...(formerly === undefined ? [] : [fileKey(formerly)])]
}
