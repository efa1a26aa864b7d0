import type { Json } from "../identity/Json.ts"
import { typeOf } from "../providers/types.ts"
import type { GatewaySettings, Provider } from "./GatewaySettings.ts"
import { shown } from "./kinds/kind.ts"
import { hidden } from "./kinds/kinds.ts"
import { fileKey, type GatewayName, gatewayNames, propertyOf, settings as table } from "./settings.ts"

const describeProvider = (settings: GatewaySettings) => (provider: Provider): Json => ({
  type: provider.type,
  name: provider.name,
  ...typeOf(settings, provider).describe(provider),
  required_scopes: provider.requiredScopes,
  hosts: provider.allowedDomains,
  ...(provider.allowHttp === undefined ? {} : { allow_http: provider.allowHttp }),
  token_prefix: provider.tokenPrefix ?? null
})

const describeSetting = (name: GatewayName, value: unknown): Json => {
  const { kind, secret } = table[name]
  if (value === undefined || (secret === true && Array.isArray(value) && value.length === 0)) return null
  // What a kind shows of a value is what a file could have there.
  return secret === true ? hidden : shown<unknown, unknown>(kind, value) as Json
}

/**
 * The settings as a JSON object in the terms of the config file, with every default filled in and no secret in it.
 *
 * The same settings give the same object, members in the same order. It is for reading, not for loading again.
 */
export const describe = (settings: GatewaySettings): { readonly [member: string]: Json } => {
  const { providers } = settings
  const values: Readonly<Record<string, unknown>> = { ...settings }
  return {
    ...Object.fromEntries(gatewayNames.map((name) => [fileKey(name), describeSetting(name, values[propertyOf(name)])])),
    providers: providers.map(describeProvider(settings))
  }
}
