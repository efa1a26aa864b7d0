/**
 * The table of all settings of the gateway. Types, defaults, decoding, variables, file, embedding, JSON Schema,
 * reference and description derive from it.
 */
import type { Kind } from "./kinds/kind.ts"
import { access } from "./settings/access.ts"
import { admin } from "./settings/admin.ts"
import { limits } from "./settings/limits.ts"
import { listener } from "./settings/listener.ts"
import { output } from "./settings/output.ts"
import { provider } from "./settings/provider.ts"
import { rules } from "./settings/rules.ts"
import { server } from "./settings/server.ts"
import type { Setting } from "./settings/Setting.ts"
import { sources } from "./settings/sources.ts"
import { store } from "./settings/store.ts"
import { upstream } from "./settings/upstream.ts"

export type { Setting } from "./settings/Setting.ts"

/** The settings of the gateway itself. The others describe a provider, or contain other settings. */
const gateway = { ...server, ...upstream, ...listener, ...access, ...rules, ...limits, ...store, ...output, ...admin }

const table = {
  ...server,
  ...upstream,
  ...listener,
  ...access,
  ...rules,
  ...provider,
  ...sources,
  ...limits,
  ...store,
  ...output,
  ...admin
}

type Table = typeof table

export type SettingName = keyof Table

/** The names of the settings of the gateway itself. */
export type GatewayName = keyof typeof gateway

export type Decoded<N extends SettingName> = Table[N]["kind"] extends Kind<infer A> ? A : never

export type Input<N extends SettingName> = Table[N]["kind"]["Encoded"]

/** The type of a setting's value in use: `undefined` is possible only without a default and without `derived`. */
export type Used<N extends GatewayName> = Table[N] extends { default: string } | { absent: unknown } ? Decoded<N>
  : Decoded<N> | undefined

/** The table, by canonical name, in the order of the reference. */
export const settings: { readonly [N in SettingName]: Setting<Decoded<N>> } = table

/** The names in the order of the reference. */
// `Object.keys` has no narrower type; the table is a constant.
export const settingNames = Object.keys(table) as ReadonlyArray<SettingName>

/** The names of the gateway's own settings. */
// As above.
export const gatewayNames = Object.keys(gateway) as ReadonlyArray<GatewayName>

/** The member of the config file for a variable: `server_url` for `MCP_SERVER_URL`. */
export const fileKey = (name: string): string => name.replace(/^MCP_/, "").toLowerCase()

/** The property in `GatewaySettings` for a setting: `traceHeader` for `MCP_TRACE_HEADER`. */
export const propertyOf = (name: GatewayName): string =>
  settings[name].property ?? fileKey(name).replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** All names of a setting as a variable, the canonical one first. */
export const spellingsOf = (name: SettingName): ReadonlyArray<string> => {
  const { aliases = [], formerly } = settings[name]
  return [name, ...(formerly === undefined ? [] : [formerly]), ...aliases]
}

/**
 * Returns all names of a setting in the config file, the canonical one first; empty for a setting that only variables
 * can set.
 */
export const fileKeysOf = (name: SettingName): ReadonlyArray<string> => {
  const { formerly, variableOnly } = settings[name]
  if (variableOnly === true) return []
  return [fileKey(name), ...(formerly === undefined ? [] : [fileKey(formerly)])]
}
