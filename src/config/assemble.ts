import type { AddedType, GatewaySettings, Provider } from "./GatewaySettings.ts"
import { policyOf, scopesOfRules } from "./policy.ts"
import type { ResolvedSettings } from "./ResolvedSettings.ts"
import { type Decoded, type GatewayName, gatewayNames, propertyOf, settings as table } from "./settings.ts"

/** The values of settings, given or default; `undefined` for a setting with neither. */
export type Values = ReadonlyMap<GatewayName, unknown>

/** The parts of one MCP server's settings in addition to their values. */
export interface Parts extends Pick<GatewaySettings, "serverHost" | "serverName" | "servers"> {
  readonly providers: ReadonlyArray<Provider>
  readonly addedTypes: ReadonlyArray<AddedType>
}

/** Builds settings from their values. A setting without a value or a default is derived from the others. */
export const assemble = (values: Values, { addedTypes, providers, ...parts }: Parts): GatewaySettings => {
  // Of the kind that the table has for the setting.
  const valueOf = <N extends GatewayName>(name: N) => values.get(name) as Decoded<N> | undefined
  const everyRequiredScope = new Set([
    ...valueOf("MCP_REQUIRED_SCOPES") ?? [],
    ...providers.flatMap(({ requiredScopes }) => requiredScopes),
    ...scopesOfRules({ rules: valueOf("MCP_RULES") ?? [] })
  ])
  const surroundings = { host: valueOf("HOST") ?? "", everyRequiredScope: [...everyRequiredScope] }
  const own = gatewayNames.map((name) => [propertyOf(name), values.get(name) ?? table[name].absent?.(surroundings)])
  // `ResolvedSettings` has the type of each property.
  const resolved = Object.fromEntries(own) as ResolvedSettings
  return {
    ...resolved,
    ...parts,
    providers,
    policy: policyOf(resolved),
    ...(addedTypes.length === 0 ? {} : { addedTypes })
  }
}
