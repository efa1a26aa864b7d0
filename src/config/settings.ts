/**
 * Every setting of the gateway: the one table that types, defaults, decoding, variables, file, embedding, JSON Schema,
 * reference and description come from.
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

/** The settings of the gateway itself; the others describe a provider, or contain other settings. */
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

/** The settings that describe the gateway itself. */
export type GatewayName = keyof typeof gateway

export type Decoded<N extends SettingName> = Table[N]["kind"] extends Kind<infer A> ? A : never

export type Input<N extends SettingName> = Table[N]["kind"]["Encoded"]

/** What the gateway uses: `undefined` only where there is neither a default nor something in its place. */
export type Used<N extends GatewayName> = Table[N] extends { default: string } | { absent: unknown } ? Decoded<N>
  : Decoded<N> | undefined

/** The table, by canonical name, in the order of the reference. */
export const settings: { readonly [N in SettingName]: Setting<Decoded<N>> } = table

/** The names in the order of the reference. */
// `Object.keys` has no narrower type; the table is a constant.
export const settingNames = Object.keys(table) as ReadonlyArray<SettingName>

/** The names of those that describe the gateway itself. */
// As above.
export const gatewayNames = Object.keys(gateway) as ReadonlyArray<GatewayName>

/** The member of the config file that belongs to the name of a variable: `server_url` to `MCP_SERVER_URL`. */
export const fileKey = (name: string): string => name.replace(/^MCP_/, "").toLowerCase()

/** The name of a setting in `GatewaySettings`: `MCP_TRACE_HEADER` is `traceHeader`. */
export const propertyOf = (name: GatewayName): string =>
  settings[name].property ?? fileKey(name).replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Every name that a setting has as a variable, the canonical one first. */
export const spellingsOf = (name: SettingName): ReadonlyArray<string> => {
  const { aliases = [], formerly } = settings[name]
  return [name, ...(formerly === undefined ? [] : [formerly]), ...aliases]
}

/**
 * Returns every name of a setting in the config file, the canonical one first; empty for a setting that can only be a
 * variable.
 */
export const fileKeysOf = (name: SettingName): ReadonlyArray<string> => {
  const { formerly, variableOnly } = settings[name]
  if (variableOnly === true) return []
  return [fileKey(name), ...(formerly === undefined ? [] : [fileKey(formerly)])]
}
