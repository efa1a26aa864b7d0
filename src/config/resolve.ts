import * as Result from "effect/Result"
import type { AllowedOrigins, GatewaySettings } from "./GatewaySettings.ts"
import { InvalidConfiguration, type Problem } from "./InvalidConfiguration.ts"
import { isLoopbackAddress } from "./kinds/network.ts"
import { resourceUrl } from "./kinds/resourceUrl.ts"
import { checkForwarding, checkService } from "./ownAddress.ts"
import { namesProvider, resolveProviders } from "./providers/providers.ts"
import {
  type Decoded,
  type DefaultedName,
  fileKey,
  type SettingName,
  settingNames,
  settings as table
} from "./settings.ts"
import { fromFile } from "./sources/document.ts"
import { type ContentOf, type FileContent, noFiles } from "./sources/settingFiles.ts"
import { decode, merge, type Source } from "./sources/Source.ts"
import { fromVariables } from "./sources/variables.ts"

const noProvider: Problem = {
  setting: "MCP_PROVIDERS",
  source: undefined,
  problem: "No authentication providers configured",
  cure: "Set MCP_JWT_ISSUER (AUTHKIT_DOMAIN for AuthKit) and MCP_JWT_AUDIENCE, or MCP_STATIC_TOKENS for development, " +
    "or MCP_PROVIDERS for several providers; MCP_AUTH_ENABLED=false would let everyone in"
}

/** Where the FTL auth gateway's own manifest has the MCP server; a name that only Spin knows. */
const spinGatewayUrl = "http://ftl-mcp-gateway.spin.internal/mcp-internal"

/** Settings from the command line: `MCP_WORKERS` is `--workers` there. */
const fromFlags = (flags: Partial<Readonly<Record<string, string>>>): Source => ({
  given: new Map(settingNames.flatMap((name) => {
    const value = flags[name]
    const flag = `--${fileKey(name).replaceAll("_", "-")}`
    return value === undefined ? [] : [[name, { value, isText: true, source: flag, spellings: [flag] }]]
  })),
  problems: []
})

/** What is wrong with settings for the host that they are for. */
type CheckForHost = (settings: GatewaySettings, given: Source["given"]) => ReadonlyArray<Problem>

/** The host that settings are for: what it asks of them, and what its files hold. */
interface ForHost {
  readonly check?: CheckForHost
  readonly contentOf?: ContentOf
}

/**
 * The settings that sources amount to, or all problems at once.
 *
 * @param sources the strongest first: for each setting the first source that has it decides
 */
export const resolve = (
  sources: ReadonlyArray<Source>,
  { check = () => [], contentOf = noFiles }: ForHost = {}
): Result.Result<GatewaySettings, InvalidConfiguration> => {
  const merged = merge(sources)
  const problems = [...merged.problems]
  const { given } = merged

  // Read ahead of all others, which it permits something; it is complained about when it is read in its turn.
  const named = given.get("MCP_ALLOW_HTTP")
  const allowHttp = (named && Result.getOrUndefined(decode("MCP_ALLOW_HTTP", named))) ?? []
  const read = <N extends SettingName>(name: N): Decoded<N> | undefined => {
    const value = given.get(name)
    if (value === undefined) return undefined
    const decoded = decode(name, value, allowHttp)
    if (Result.isSuccess(decoded)) return decoded.success
    for (const complaint of decoded.failure) problems.push({ setting: name, source: value.source, ...complaint })
    return undefined
  }
  // A default that its own kind refuses is a mistake in the table, which a test looks for.
  const defaulted = <N extends DefaultedName>(name: N): Decoded<N> =>
    read(name) ?? Result.getOrThrow(table[name].kind.fromText(table[name].default ?? ""))

  const authEnabled = defaulted("MCP_AUTH_ENABLED")
  const publicUrl = read("MCP_PUBLIC_URL")
  const path = defaulted("MCP_PATH")
  const host = defaulted("HOST")
  const resource = publicUrl === undefined ? undefined : resourceUrl(publicUrl, path)
  const providers = resolveProviders(given, {
    resource,
    publicUrlIsWrong: publicUrl === undefined && given.has("MCP_PUBLIC_URL"),
    allowHttp,
    contentOf
  }, problems)
  if (authEnabled && !namesProvider(given)) problems.push(noProvider)
  const requiredScopes = read("MCP_REQUIRED_SCOPES") ?? []
  const everyRequiredScope = new Set(requiredScopes.concat(providers.flatMap(({ requiredScopes }) => requiredScopes)))
  const usualOrigins: AllowedOrigins = isLoopbackAddress(host) ? { _tag: "Loopback" } : { _tag: "Any" }

  const settings: GatewaySettings = {
    authEnabled,
    providers,
    requiredScopes,
    scopesSupported: read("MCP_SCOPES_SUPPORTED") ?? [...everyRequiredScope],
    gatewayUrl: read("MCP_SERVER_URL") ?? spinGatewayUrl,
    path,
    publicUrl,
    allowHttp: read("MCP_ALLOW_HTTP") ?? [],
    caFile: read("MCP_CA_FILE"),
    trustedProxies: defaulted("MCP_TRUSTED_PROXIES"),
    allowedOrigins: read("MCP_ALLOWED_ORIGINS") ?? usualOrigins,
    traceHeader: defaulted("MCP_TRACE_HEADER"),
    errorStyle: defaulted("MCP_ERROR_STYLE"),
    forwardAuthorization: defaulted("MCP_FORWARD_AUTHORIZATION"),
    identityHeaders: defaulted("MCP_IDENTITY_HEADERS"),
    injectRequestContext: defaulted("MCP_INJECT_REQUEST_CONTEXT"),
    injectResponseContext: defaulted("MCP_INJECT_RESPONSE_CONTEXT"),
    bindSessions: defaulted("MCP_BIND_SESSIONS"),
    sessionKeys: read("MCP_SESSION_KEY") ?? [],
    maxTokenBytes: defaulted("MCP_MAX_TOKEN_BYTES"),
    maxBodyBytes: defaulted("MCP_MAX_BODY_BYTES"),
    clockSkewSeconds: defaulted("MCP_CLOCK_SKEW"),
    upstreamTimeoutMillis: defaulted("MCP_UPSTREAM_TIMEOUT") * 1000,
    responseTimeoutMillis: defaulted("MCP_RESPONSE_TIMEOUT") * 1000,
    clientHeadMillis: defaulted("MCP_CLIENT_HEAD_TIMEOUT") * 1000,
    clientBodyMillis: defaulted("MCP_CLIENT_BODY_TIMEOUT") * 1000,
    clientIdleMillis: defaulted("MCP_CLIENT_IDLE_TIMEOUT") * 1000,
    clientMinRate: defaulted("MCP_CLIENT_MIN_RATE"),
    upstreamIdleMillis: defaulted("MCP_UPSTREAM_IDLE_TIMEOUT") * 1000,
    maxWaiting: defaulted("MCP_MAX_WAITING"),
    maxUpstreamConnections: defaulted("MCP_MAX_UPSTREAM_CONNECTIONS"),
    maxStreams: defaulted("MCP_MAX_STREAMS"),
    maxBufferedBytes: defaulted("MCP_MAX_BUFFERED_BYTES"),
    shutdownTimeoutMillis: defaulted("MCP_SHUTDOWN_TIMEOUT") * 1000,
    host,
    port: defaulted("PORT"),
    workers: defaulted("MCP_WORKERS"),
    storeVerdicts: defaulted("MCP_STORE_VERDICTS"),
    logFormat: defaulted("MCP_LOG_FORMAT"),
    logLevel: defaulted("MCP_LOG_LEVEL")
  }
  problems.push(...checkForwarding(settings), ...check(settings, given))
  return problems.length === 0 ? Result.succeed(settings) : Result.fail(new InvalidConfiguration({ problems }))
}

/** What the settings of a service are made of, as it was found; all of it can be written as JSON. */
export interface Sources {
  /** The environment, or the like of another host; all of it, so that misspelt names are found. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** The config file, parsed as JSON. */
  readonly document?: unknown
  /** Settings of the command line. */
  readonly flags?: Partial<Readonly<Record<SettingName, string>>>
  /** What the files hold that settings name, by their paths. */
  readonly files?: Readonly<Record<string, FileContent>>
}

const contentIn = ({ files = {} }: Sources): ContentOf => (path) => Object.hasOwn(files, path) ? files[path] : undefined

const resolveWith = (
  { document, flags = {}, variables }: Sources,
  contentOf: ContentOf,
  check?: CheckForHost
): Result.Result<GatewaySettings, InvalidConfiguration> =>
  resolve([
    fromFlags(flags),
    fromVariables(variables, contentOf),
    ...(document === undefined ? [] : [fromFile(document, contentOf)])
  ], { contentOf, ...(check && { check }) })

/** The settings of a service: for each the command line wins, then the variables, then the file. */
export const resolveSources = (sources: Sources): Result.Result<GatewaySettings, InvalidConfiguration> =>
  resolveWith(sources, contentIn(sources))

/**
 * The same for a service that listens by itself, on `HOST` and `PORT`.
 *
 * It must be told where the MCP server is, which cannot be where it listens.
 */
export const resolveService = (sources: Sources): Result.Result<GatewaySettings, InvalidConfiguration> =>
  resolveWith(sources, contentIn(sources), checkService)

/**
 * The paths that settings name and whose files have not been read yet.
 *
 * What the files hold may name others: ask again, until there are none.
 */
export const filesToRead = (sources: Sources): ReadonlyArray<string> => {
  const known = contentIn(sources)
  const wanted = new Set<string>()
  resolveWith(sources, (path) => {
    const content = known(path)
    if (content === undefined) wanted.add(path)
    return content
  })
  return [...wanted]
}
