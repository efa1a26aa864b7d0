/** What the status page shows of a configuration: servers, providers, settings in effect. Pure. */
import { describe } from "../config/describe.ts"
import { type GatewaySettings, serversOf } from "../config/GatewaySettings.ts"
import { resourceUrl } from "../config/kinds/resourceUrl.ts"
import { originsOf } from "../config/origins.ts"
import { fileKey, gatewayNames, type SettingName } from "../config/settings.ts"
import { warnings } from "../config/warnings.ts"
import type { Json } from "../identity/Json.ts"
import type { EffectiveSetting, ServerStatus } from "./page/Status.ts"

/** The parts of a status that depend on the settings alone. */
export interface GatewayFacts {
  readonly servers: ReadonlyArray<Pick<ServerStatus, "name" | "providers" | "resource" | "upstream">>
  readonly providers: ReadonlyArray<{ readonly name: string; readonly type: string }>
  readonly warnings: ReadonlyArray<string>
  readonly settings: ReadonlyArray<EffectiveSetting>
}

type Described = { readonly [member: string]: Json }

const textOf = (value: Json | undefined): string => typeof value === "string" ? value : ""

const membersOf = (value: Json | undefined): ReadonlyArray<Described> =>
  Array.isArray(value)
    ? value.flatMap((one): ReadonlyArray<Described> =>
      typeof one === "object" && one !== null && !Array.isArray(one) ? [one as Described] : []
    )
    : []

const factsOfServers = (settings: GatewaySettings, described: Described): GatewayFacts["servers"] => {
  const members = membersOf(described["servers"])
  return serversOf(settings).map(({ path, providers, publicUrl, serverName }, index) => ({
    name: serverName,
    upstream: textOf((members[index] ?? described)["server_url"] ?? members[index]?.["url"]),
    resource: publicUrl === undefined ? undefined : resourceUrl(publicUrl, path),
    providers: providers.map(({ name }) => name)
  }))
}

/** The settings of providers and servers, which the description combines into one member each. */
const gathered: ReadonlyArray<readonly [SettingName, string]> = [["MCP_PROVIDERS", "providers"], [
  "MCP_SERVERS",
  "servers"
]]

const settingsOf = (settings: GatewaySettings, described: Described): ReadonlyArray<EffectiveSetting> => {
  const origins = originsOf(settings)
  const own: ReadonlySet<string> = new Set(gatewayNames)
  // A single provider can be configured by top-level settings, which the description shows as an entry of the list.
  const single = [...origins ?? []].find(([name]) =>
    !own.has(name) && name !== "MCP_SERVERS" && name.startsWith("MCP_")
  )
  const sourceOf = (name: SettingName): EffectiveSetting["source"] =>
    origins === undefined ? "program" : origins.get(name) ?? "default"
  return [
    ...gatewayNames.map((name) => ({ name, value: described[fileKey(name)] ?? null, source: sourceOf(name) })),
    ...gathered.map(([name, member]) => {
      const source = sourceOf(name)
      return {
        name,
        value: described[member] ?? null,
        source: source === "default" && name === "MCP_PROVIDERS" && single !== undefined ? single[1] : source
      }
    })
  ]
}

/**
 * Describes a configuration without secrets.
 *
 * @param more warnings about the host
 */
export const gatewayFacts = (settings: GatewaySettings, more: ReadonlyArray<string> = []): GatewayFacts => {
  const described = describe(settings)
  return {
    servers: factsOfServers(settings, described),
    providers: settings.providers.map(({ name, type }) => ({ name, type })),
    warnings: [...warnings(settings), ...more],
    settings: settingsOf(settings, described)
  }
}
