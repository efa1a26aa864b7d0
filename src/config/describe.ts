import type { Json } from "../identity/Json.ts"
import { typeOf } from "../providers/types.ts"
import type { GatewaySettings, Provider } from "./GatewaySettings.ts"
import { shown } from "./kinds/kind.ts"
import { hidden } from "./kinds/kinds.ts"
import { resourceUrl } from "./kinds/resourceUrl.ts"
import { describeFacade } from "./providers/readFacade.ts"
import { serverSettings } from "./servers/serverFields.ts"
import { fileKey, type GatewayName, gatewayNames, propertyOf, settings as table } from "./settings.ts"

const describeProvider = (settings: GatewaySettings) => (provider: Provider): Json => ({
  type: provider.type,
  name: provider.name,
  ...typeOf(settings, provider).describe(provider),
  required_scopes: provider.requiredScopes,
  hosts: provider.allowedDomains,
  ...(provider.allowHttp === undefined ? {} : { allow_http: provider.allowHttp }),
  token_prefix: provider.tokenPrefix ?? null,
  ...(provider.facade === undefined ? {} : { facade: describeFacade(provider.facade) }),
  ...(provider.standInMetadata === true ? { stand_in_metadata: true } : {}),
  ...(provider.preset === undefined
    ? {}
    : { preset: provider.preset.name, decided_by_preset: provider.preset.fields })
})

const describeSetting = (name: GatewayName, value: unknown): Json => {
  const { kind, partlyShown, secret } = table[name]
  if (value === undefined || (secret === true && Array.isArray(value) && value.length === 0)) return null
  // A kind shows a value in a form that the config file could contain.
  return secret === true && partlyShown !== true ? hidden : shown<unknown, unknown>(kind, value) as Json
}

type Described = { readonly [member: string]: Json }

const valuesOf = (settings: GatewaySettings): Readonly<Record<string, unknown>> => ({ ...settings })

const describeGateway = (settings: GatewaySettings): Described => {
  const values = valuesOf(settings)
  return Object.fromEntries(
    gatewayNames.map((name) => [fileKey(name), describeSetting(name, values[propertyOf(name)])])
  )
}

/** The members that an entry always shows. Other settings are shown if they differ from the gateway's. */
const always: ReadonlySet<GatewayName> = new Set<GatewayName>(["MCP_PATH", "MCP_SERVER_URL"])

/** One of several MCP servers: its host and path, and the settings in which it differs from those of the gateway. */
const describeServer = (gateway: GatewaySettings) => {
  const inherited = describeGateway(gateway)
  return (server: GatewaySettings): Described => {
    const { path, providers, publicUrl, serverHost, serverName } = server
    const own = describeGateway(server)
    return {
      name: serverName,
      host: serverHost ?? null,
      resource: publicUrl === undefined ? null : resourceUrl(publicUrl, path),
      providers: providers.map(({ name }) => name),
      ...Object.fromEntries([...serverSettings].flatMap(([key, name]): ReadonlyArray<[string, Json]> => {
        const [value = null, otherwise] = [own[fileKey(name)], inherited[fileKey(name)]]
        return always.has(name) || JSON.stringify(value) !== JSON.stringify(otherwise) ? [[key, value]] : []
      }))
    }
  }
}

/**
 * The settings as a JSON object in the terms of the config file, with every default filled in and no secret in it.
 *
 * Equal settings result in equal objects, with members in the same order. It is for reading, not for loading again.
 * Each of several MCP servers shows what differs from the gateway's own settings.
 */
export const describe = (settings: GatewaySettings): Described => {
  const { providers, servers } = settings
  return {
    ...describeGateway(settings),
    ...(servers.length === 0 ? {} : { server_url: null }),
    providers: providers.map(describeProvider(settings)),
    servers: servers.map(describeServer(settings))
  }
}
