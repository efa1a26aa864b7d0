/** The issuer and the endpoints of the gateway as an authorization server. Pure. */
import type { Facade } from "../config/Facade.ts"
import type { GatewaySettings, Provider } from "../config/GatewaySettings.ts"
import { resourceUrl } from "../config/kinds/resourceUrl.ts"

export const facadeEndpoints = ["authorize", "consent", "callback", "token", "register", "revoke", "keys"] as const

export type FacadeEndpoint = (typeof facadeEndpoints)[number]

/** The settings of a server that determine the URLs of its facade. */
export type FacadeSettings =
  & Pick<GatewaySettings, "path" | "publicUrl">
  & Partial<Pick<GatewaySettings, "providers" | "serverName">>

export interface FacadeProvider extends Provider {
  readonly facade: Facade
}

const hasFacade = (provider: Provider): provider is FacadeProvider => provider.facade !== undefined

/** Returns the provider of an MCP server that has a facade. A valid configuration has at most one for each server. */
export const facadeProvider = (
  { providers = [] }: Pick<FacadeSettings, "providers">
): FacadeProvider | undefined => providers.find(hasFacade)

/** The issuer of the provider's tokens; the provider's name if its type has no issuer. */
export const providerIssuer = (provider: FacadeProvider): string =>
  "issuer" in provider && typeof provider.issuer === "string" ? provider.issuer : provider.name

/** Returns whether the gateway is an authorization server for clients: with a facade, or with metadata alone. */
export const isIssuer = ({ providers = [] }: Pick<FacadeSettings, "providers">): boolean =>
  providers.some(({ facade, standInMetadata }) => facade !== undefined || standInMetadata === true)

const endpointPath: Readonly<Record<FacadeEndpoint, string>> = {
  authorize: "/authorize",
  consent: "/authorize/consent",
  callback: "/oauth/callback",
  token: "/token",
  register: "/register",
  revoke: "/revoke",
  keys: "/oauth/keys"
}

/**
 * The path of an endpoint. A gateway with one MCP server uses the paths that clients of the first revision of MCP
 * authorization assume; with several servers, each has its own below `/oauth`.
 */
export const facadePath = (
  { path, serverName = "" }: Pick<FacadeSettings, "path" | "serverName">,
  endpoint: FacadeEndpoint
): string =>
  serverName === ""
    ? endpointPath[endpoint]
    : `/oauth${path === "/" ? "" : path}${endpointPath[endpoint].replace(/^\/oauth/, "")}`

/** The URL of an endpoint. Only for settings with a public URL. */
export const facadeUrl = (settings: FacadeSettings, endpoint: FacadeEndpoint): string =>
  `${settings.publicUrl ?? ""}${facadePath(settings, endpoint)}`

/**
 * The issuer that clients see: the public URL of the gateway or, if there are several MCP servers, the URL of the
 * server, so that no two of them share an issuer.
 */
export const facadeIssuer = ({ path, publicUrl = "", serverName = "" }: FacadeSettings): string =>
  serverName === "" ? publicUrl : resourceUrl(publicUrl, path)
