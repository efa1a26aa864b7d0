/** The MCP servers of `MCP_SERVERS`. Each entry becomes separate settings, as if it were the only server. */
import * as Result from "effect/Result"
import { nearestName, showMember } from "../../errors/nearestName.ts"
import type { ProviderType } from "../../providers/ProviderType.ts"
import { typeOf } from "../../providers/types.ts"
import { assemble, type Values } from "../assemble.ts"
import type { GatewaySettings, Provider, RateLimit } from "../GatewaySettings.ts"
import type { Mistake, Problem } from "../InvalidConfiguration.ts"
import { fromJson, type Kind } from "../kinds/kind.ts"
import { isLoopbackHost } from "../kinds/loopback.ts"
import { limitsOfServer } from "../kinds/rateLimits.ts"
import { resourceUrl } from "../kinds/resourceUrl.ts"
import type { GatewayName, SettingName } from "../settings.ts"
import { withMemberFiles } from "../sources/memberFiles.ts"
import { isObject } from "../sources/nested.ts"
import { type ContentOf, fromSettingFile, givenTwice } from "../sources/settingFiles.ts"
import { decode, type Given } from "../sources/Source.ts"
import { checkPlaces } from "./places.ts"
import {
  type OwnServerFieldName,
  ownServerFields,
  serverFieldNames,
  serverFiles,
  serverKey,
  serverSettings
} from "./serverFields.ts"

/** The inherited settings of the entries, and how to check them. */
export interface ServersContext {
  /** The settings of the whole gateway. */
  readonly values: Values
  readonly providers: ReadonlyArray<Provider>
  readonly addedTypes: ReadonlyArray<ProviderType>
  readonly allowHttp: ReadonlyArray<string>
  readonly contentOf: ContentOf
  /** Whether the public URL is configured but invalid, which has been reported. */
  readonly publicUrlIsWrong: boolean
}

/** Returns the name of an entry's setting in problems: `MCP_SERVERS[1].url`. */
export const serverSetting = (index: number, key?: string): string =>
  `MCP_SERVERS[${index}]${key === undefined ? "" : `.${key}`}`

interface Entry {
  readonly index: number
  readonly settings: ReadonlyMap<GatewayName, Given>
  readonly own: ReadonlyMap<OwnServerFieldName, unknown>
  readonly report: (key: string | undefined, mistake: Mistake) => void
}

const isOwnField = (key: string): key is OwnServerFieldName => Object.hasOwn(ownServerFields, key)

const readEntry = (
  value: unknown,
  index: number,
  source: string | undefined,
  contentOf: ContentOf,
  problems: Array<Problem>
): Entry | undefined => {
  const report: Entry["report"] = (key, { fix, problem }) => {
    problems.push({ setting: serverSetting(index, key), source, problem, fix })
  }
  if (!isObject(value)) {
    report(undefined, { problem: "is not an object", fix: "Write {\"name\": …, \"path\": …, \"url\": …}" })
    return undefined
  }
  const settings = new Map<GatewayName, Given>()
  const own = new Map<OwnServerFieldName, unknown>()
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue
    if (isOwnField(key)) {
      own.set(key, member)
      continue
    }
    const named = serverFiles.get(key) ?? key
    const name = serverSettings.get(named)
    if (name === undefined) {
      const meant = key === "server_url" || key === "upstream"
        ? "url"
        : nearestName(key, [...serverFieldNames, ...serverFiles.keys()])
      report(showMember(key), {
        problem: "is not a field of a server",
        fix: meant === undefined ? `Known are ${serverFieldNames.join(", ")}` : `Did you mean ${meant}?`
      })
      continue
    }
    const found: Given = { value: member, isText: false, source, spellings: [key] }
    const other = settings.get(name)
    if (other !== undefined) problems.push(givenTwice(serverSetting(index, named), other.spellings.join(), key))
    const read = named === key ? undefined : fromSettingFile(serverSetting(index, key), found, contentOf)
    settings.set(name, read?.given ?? found)
    if (read?.problem !== undefined) problems.push(read.problem)
  }
  return { index, settings, own, report }
}

/**
 * Returns the public URL with another host. If there is none, or if it is on this machine and the host is not, the
 * scheme is http for loopback hosts and https for all others.
 */
const publicUrlAt = (host: string, publicUrl: string | undefined): string => {
  const isLoopback = isLoopbackHost(new URL(`https://${host}`).hostname)
  const url = publicUrl === undefined ? undefined : new URL(publicUrl)
  if (url === undefined || isLoopbackHost(url.hostname) !== isLoopback) {
    return `${isLoopback ? "http" : "https"}://${host}`
  }
  // Assigning a host without a port keeps the previous port.
  url.host = host
  return url.origin + (url.pathname === "/" ? "" : url.pathname)
}

const resolveEntry = (
  entry: Entry,
  context: ServersContext,
  problems: Array<Problem>
): GatewaySettings | undefined => {
  const { addedTypes, allowHttp, contentOf } = context
  const { report } = entry

  const readOwn = <A>(key: OwnServerFieldName, kind: Kind<A>): A | undefined => {
    if (!entry.own.has(key)) return undefined
    const read = fromJson(kind, entry.own.get(key))
    if (Result.isSuccess(read)) return read.success
    for (const mistake of read.failure) report(key, mistake)
    return undefined
  }
  const read = <N extends GatewayName>(name: N, given: Given, key: string): unknown => {
    const label = serverSetting(entry.index, key)
    const decoded = decode(name, withMemberFiles(name, label, given, contentOf, problems), allowHttp)
    if (Result.isSuccess(decoded)) return decoded.success
    for (const mistake of decoded.failure) report(key, mistake)
    return undefined
  }

  const values = new Map(context.values)
  for (const [name, given] of entry.settings) values.set(name, read(name, given, serverKey(name)) ?? values.get(name))

  const name = readOwn("name", ownServerFields.name.kind)
  const host = readOwn("host", ownServerFields.host.kind)
  const chosen = readOwn("providers", ownServerFields.providers.kind)
  if (!entry.own.has("name")) {
    report("name", { problem: "is missing", fix: "Give the server a name of its own, as in notes" })
  }
  if (!entry.settings.has("MCP_SERVER_URL")) {
    report("url", {
      problem: "is missing",
      fix: "Set it to the URL of the MCP server, as in http://127.0.0.1:8080/mcp"
    })
  }

  const inherited = context.values.get("MCP_PUBLIC_URL")
  if (host !== undefined && !entry.settings.has("MCP_PUBLIC_URL")) {
    const derived = publicUrlAt(host, typeof inherited === "string" ? inherited : undefined)
    const given = { value: derived, isText: false, source: undefined, spellings: [] }
    values.set("MCP_PUBLIC_URL", read("MCP_PUBLIC_URL", given, "host"))
  }

  const providers: Array<Provider> = []
  // The values have the types that the table has for these settings.
  const publicUrl = values.get("MCP_PUBLIC_URL") as string | undefined
  const path = values.get("MCP_PATH") as string | undefined ?? "/"
  const isReported = context.publicUrlIsWrong || entry.own.has("host") || entry.settings.has("MCP_PUBLIC_URL")
  const resource = publicUrl === undefined ? undefined : resourceUrl(publicUrl, path)
  for (const unknown of (chosen ?? []).filter((name) => !context.providers.some((known) => known.name === name))) {
    const names = context.providers.map(({ name }) => name)
    const meant = nearestName(unknown, names)
    report("providers", {
      problem: "names a provider that is not configured",
      fix: meant !== undefined
        ? `Did you mean ${meant}?`
        : names.length === 0
        ? "Configure it in MCP_PROVIDERS"
        : `Configured are ${names.join(", ")}`
    })
  }
  for (const provider of context.providers) {
    if (chosen !== undefined && !chosen.includes(provider.name)) continue
    const { forResource } = typeOf({ addedTypes }, provider)
    const own = forResource === undefined ? provider : forResource(provider, resource)
    if (own !== undefined) providers.push(own)
    else if (!isReported) {
      report("providers", {
        problem:
          `has one, ${provider.name}, whose tokens must be for this server (audience auto), but its URL is not known before a request comes`,
        fix: "Set MCP_PUBLIC_URL, give the server a host or a public_url, or name the audience"
      })
    }
  }

  if (name !== undefined && entry.settings.has("MCP_RATE_LIMITS")) {
    // The value has the type that the table has for the setting.
    values.set("MCP_RATE_LIMITS", limitsOfServer(values.get("MCP_RATE_LIMITS") as ReadonlyArray<RateLimit>, name))
  }
  return name === undefined
    ? undefined
    : assemble(values, { addedTypes, providers, serverName: name, serverHost: host, servers: [] })
}

/** Returns the servers, in order, and adds problems to `problems`. Empty if `MCP_SERVERS` is not set. */
export const resolveServers = (
  given: ReadonlyMap<SettingName, Given>,
  context: ServersContext,
  problems: Array<Problem>
): ReadonlyArray<GatewaySettings> => {
  const several = given.get("MCP_SERVERS")
  if (several === undefined) return []
  const { source } = several
  const about = (mistake: Mistake) => problems.push({ setting: "MCP_SERVERS", source, ...mistake })
  const single = given.get("MCP_SERVER_URL")
  if (single !== undefined) {
    about({
      problem: `is given together with ${single.source ?? "MCP_SERVER_URL"}, which describes an MCP server by itself`,
      fix: "Keep one of the two ways: the url of an entry takes its place"
    })
  }
  const entries = decode("MCP_SERVERS", several)
  if (Result.isFailure(entries)) {
    for (const mistake of entries.failure) about(mistake)
    return []
  }
  if (entries.success.length === 0) {
    about({ problem: "is a list without members", fix: "Leave it out, and set MCP_SERVER_URL for one MCP server" })
  }
  const resolved = entries.success.map((value, index) => {
    const entry = readEntry(value, index, source, context.contentOf, problems)
    return entry && resolveEntry(entry, context, problems)
  })
  problems.push(...checkPlaces(resolved, source))
  const servers = resolved.filter((server) => server !== undefined)
  // A server without a name is named by its number.
  return servers.length === resolved.length ? servers : []
}
