import * as Result from "effect/Result"
import type { ProviderType } from "../providers/ProviderType.ts"
import { assemble } from "./assemble.ts"
import { checkAdmin } from "./checkAdmin.ts"
import { checkAudit } from "./checkAudit.ts"
import { checkFacade } from "./checkFacade.ts"
import { checkForwardAuth } from "./checkForwardAuth.ts"
import { checkStore } from "./checkStore.ts"
import { checkUpstreamAuth, checkUpstreamTls } from "./checkUpstreamAuth.ts"
import { type GatewaySettings, serversOf } from "./GatewaySettings.ts"
import { InvalidConfiguration, type Problem } from "./InvalidConfiguration.ts"
import { fromText } from "./kinds/kind.ts"
import { resourceUrl } from "./kinds/resourceUrl.ts"
import { noteOrigins, type Origin } from "./origins.ts"
import { checkForwarding, checkService } from "./ownAddress.ts"
import { checkRules } from "./policy.ts"
import { namesProvider, resolveProviders } from "./providers/providers.ts"
import { serverKey } from "./servers/serverFields.ts"
import { resolveServers, serverSetting } from "./servers/servers.ts"
import {
  type Decoded,
  fileKey,
  type GatewayName,
  gatewayNames,
  type SettingName,
  settingNames,
  settings as table
} from "./settings.ts"
import { fromFile, fromInput } from "./sources/document.ts"
import { withMemberFiles } from "./sources/memberFiles.ts"
import { type ContentOf, type FileContent, noFiles } from "./sources/settingFiles.ts"
import { decode, merge, originsIn, type Source } from "./sources/Source.ts"
import { fromVariables } from "./sources/variables.ts"

const noProvider: Problem = {
  setting: "MCP_PROVIDERS",
  source: undefined,
  problem: "No authentication providers configured",
  fix: "Set MCP_JWT_ISSUER (AUTHKIT_DOMAIN for AuthKit) and MCP_JWT_AUDIENCE, or MCP_STATIC_TOKENS for development, " +
    "or MCP_PROVIDERS for several providers; MCP_AUTH_ENABLED=false would let everyone in"
}

/** Settings with flags on the command line: `MCP_WORKERS` is `--workers`. */
const fromFlags = (flags: Partial<Readonly<Record<string, string>>>): Source => ({
  given: new Map(settingNames.flatMap((name) => {
    const value = flags[name]
    const flag = `--${fileKey(name).replaceAll("_", "-")}`
    return value === undefined ? [] : [[name, { value, isText: true, source: flag, spellings: [flag] }]]
  })),
  problems: []
})

/** The names of settings in an entry of `servers`, by their names elsewhere. */
const serverKeyOf = (setting: string): string => {
  const name = gatewayNames.find((known) => known === setting)
  return name === undefined ? fileKey(setting) : serverKey(name)
}

/** Returns the problem as one of an entry of `servers`, if the setting comes from there. */
const ofServer = (problem: Problem, { serverName }: GatewaySettings, index: number): Problem =>
  serverName === "" ? problem : { ...problem, setting: serverSetting(index, serverKeyOf(problem.setting)) }

const of = (origin: Origin, source: Source): Source => ({ ...source, origin })

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0

type CheckForHost = (settings: GatewaySettings, given: Source["given"]) => ReadonlyArray<Problem>

/** What the host requires of the settings, and the contents of its files. */
interface ForHost {
  readonly check?: CheckForHost
  readonly contentOf?: ContentOf
  /** Provider types in addition to the gateway's own. */
  readonly types?: ReadonlyArray<ProviderType>
  /** Whether `providers: []` is allowed, because the program has its own verifier. */
  readonly mayHaveNoProvider?: boolean
}

const defaults = new Map<GatewayName, unknown>()

/** The default of a setting. Decoded once; on Spin, while the component is built. */
const defaultOf = (name: GatewayName): unknown => {
  const { default: text, kind } = table[name]
  if (text === undefined || defaults.has(name)) return defaults.get(name)
  const value = Result.getOrThrow(fromText<unknown>(kind, text))
  defaults.set(name, value)
  return value
}

/**
 * Resolves the settings in sources, or returns all problems.
 *
 * @param sources in the order of precedence: the first source that has a setting decides
 */
export const resolve = (
  sources: ReadonlyArray<Source>,
  { check = () => [], contentOf = noFiles, mayHaveNoProvider = false, types = [] }: ForHost = {}
): Result.Result<GatewaySettings, InvalidConfiguration> => {
  const merged = merge(sources)
  const problems = [...merged.problems]
  const { given } = merged

  // Read before all others, because their values may depend on it. Its problems are reported later, in its turn.
  const named = given.get("MCP_ALLOW_HTTP")
  const allowHttp = (named && Result.getOrUndefined(decode("MCP_ALLOW_HTTP", named))) ?? []
  const read = <N extends SettingName>(name: N): Decoded<N> | undefined => {
    const value = given.get(name)
    if (value === undefined) return undefined
    const decoded = decode(name, withMemberFiles(name, name, value, contentOf, problems), allowHttp)
    if (Result.isSuccess(decoded)) return decoded.success
    for (const mistake of decoded.failure) problems.push({ setting: name, source: value.source, ...mistake })
    return undefined
  }
  // The default has the type that `read` returns. A test ensures that no kind rejects a default of the table.
  const used = new Map<GatewayName, unknown>(gatewayNames.map((name) => [name, read(name) ?? defaultOf(name)]))
  const usedAs = <N extends GatewayName>(name: N) => used.get(name) as Decoded<N> | undefined

  const publicUrl = usedAs("MCP_PUBLIC_URL")
  const publicUrlIsWrong = publicUrl === undefined && given.has("MCP_PUBLIC_URL")
  const providers = resolveProviders(
    given,
    {
      resource: publicUrl === undefined ? undefined : resourceUrl(publicUrl, usedAs("MCP_PATH") ?? "/"),
      publicUrlIsWrong,
      isForSeveral: given.has("MCP_SERVERS"),
      allowHttp,
      contentOf
    },
    types,
    problems
  )
  const servers = resolveServers(
    given,
    { values: used, providers, addedTypes: types, allowHttp, contentOf, publicUrlIsWrong },
    problems
  )
  const settings = assemble(used, { addedTypes: types, providers, serverName: "", serverHost: undefined, servers })
  const meansNone = mayHaveNoProvider && isEmptyList(given.get("MCP_PROVIDERS")?.value)
  if (serversOf(settings).some(({ authEnabled }) => authEnabled) && !meansNone && !namesProvider(given)) {
    problems.push(noProvider)
  }
  problems.push(
    ...checkForwarding(settings),
    ...serversOf(settings).flatMap((server, index) =>
      checkRules(server, given.has("MCP_RULES") || server.rules.length > 0).map((problem) =>
        ofServer(problem, server, index)
      )
    ),
    ...serversOf(settings).flatMap((server, index) =>
      [...checkUpstreamAuth(server), ...checkUpstreamTls(server)].map((problem) => ofServer(problem, server, index))
    ),
    ...checkAdmin(settings),
    ...checkAudit(settings),
    ...checkFacade(settings),
    ...checkForwardAuth(settings),
    ...checkStore(settings),
    ...check(settings, given)
  )
  return problems.length === 0
    ? Result.succeed(noteOrigins(settings, originsIn(sources)))
    : Result.fail(new InvalidConfiguration({ problems }))
}

/** Resolves the settings of a program that embeds the gateway. `providers: []` then configures no provider. */
export const resolveInput = (
  input: object,
  types: ReadonlyArray<ProviderType> = []
): Result.Result<GatewaySettings, InvalidConfiguration> =>
  resolve([of("program", fromInput(input))], { mayHaveNoProvider: true, types })

/** The sources of a service's settings, as found. All of it can be written as JSON. */
export interface Sources {
  /** The whole environment, or its counterpart on another host, so that misspelt names are detected. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** The config file, parsed as JSON. */
  readonly document?: unknown
  readonly flags?: Partial<Readonly<Record<SettingName, string>>>
  /** The contents of the files that settings name, by their paths. */
  readonly files?: Readonly<Record<string, FileContent>>
}

const contentIn = ({ files = {} }: Sources): ContentOf => (path) => Object.hasOwn(files, path) ? files[path] : undefined

const resolveWith = (
  { document, flags = {}, variables }: Sources,
  contentOf: ContentOf,
  forHost: ForHost = {}
): Result.Result<GatewaySettings, InvalidConfiguration> =>
  resolve([
    of("command line", fromFlags(flags)),
    of("environment", fromVariables(variables, contentOf)),
    ...(document === undefined ? [] : [of("file", fromFile(document, contentOf))])
  ], { ...forHost, contentOf })

/**
 * Resolves the settings of a service. The command line takes precedence over variables, and variables over the file.
 */
export const resolveSources = (
  sources: Sources,
  options: Pick<ForHost, "types"> = {}
): Result.Result<GatewaySettings, InvalidConfiguration> => resolveWith(sources, contentIn(sources), options)

/**
 * Like `resolveSources`, for a service that listens itself, on `HOST` and `PORT`.
 *
 * The URL of the MCP server must be configured, and must differ from the address that the service listens on.
 */
export const resolveService = (sources: Sources): Result.Result<GatewaySettings, InvalidConfiguration> =>
  resolveWith(sources, contentIn(sources), { check: checkService })

/**
 * Returns the paths of files that settings name and that have not been read yet.
 *
 * Files may name other files: repeat until the list is empty.
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
