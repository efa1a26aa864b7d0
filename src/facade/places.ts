/** Where the gateway is an authorization server: its issuer and its endpoints. Pure. */
import type { Facade } from "../config/Facade.ts"
import type { GatewaySettings, Provider } from "../config/GatewaySettings.ts"
import { resourceUrl } from "../config/kinds/resourceUrl.ts"

/** The endpoints of the facade. */
export const facadeEndpoints = ["authorize", "consent", "callback", "token", "register", "revoke", "keys"] as const

/** One of them. */
export type FacadeEndpoint = (typeof facadeEndpoints)[number]

/** The parts of a server's settings that decide where its facade is. */
export type FacadeSettings =
  & Pick<GatewaySettings, "path" | "publicUrl">
  & Partial<Pick<GatewaySettings, "providers" | "serverName">>

/** A provider with a facade. */
export interface FacadeProvider extends Provider {
  readonly facade: Facade
}

const hasFacade = (provider: Provider): provider is FacadeProvider => provider.facade !== undefined

/** The provider of an MCP server that has a facade; a valid configuration has at most one for each server. */
export const facadeProvider = (
  { providers = [] }: Pick<FacadeSettings, "providers">
): FacadeProvider | undefined => providers.find(hasFacade)

/** The issuer of the provider's tokens; its name if its type has no issuer. */
export const providerIssuer = (provider: FacadeProvider): string =>
  "issuer" in provider && typeof provider.issuer === "string" ? provider.issuer : provider.name

/** Whether the gateway is an authorization server for clients: with a facade, or with metadata alone. */
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
 * The path of an endpoint. The only MCP server of a gateway has the paths that clients of the first revision of MCP
 * authorization assume; of several servers, each has its own below `/oauth`.
 */
export const facadePath = (
  { path, serverName = "" }: Pick<FacadeSettings, "path" | "serverName">,
  endpoint: FacadeEndpoint
): string =>
  serverName === ""
    ? endpointPath[endpoint]
    : `/oauth${path === "/" ? "" : path}${endpointPath[endpoint].replace(/^\/oauth/, "")}`

/** The URL of an endpoint, where the public URL is known. */
export const facadeUrl = (settings: FacadeSettings, endpoint: FacadeEndpoint): string =>
  `${settings.publicUrl ?? ""}${facadePath(settings, endpoint)}`

/**
 * The issuer that clients see: the public URL of the gateway, or where there are several MCP servers the URL of the server, so
 * that no two of them share an issuer.
 */
export const facadeIssuer = ({ path, publicUrl = "", serverName = "" }: FacadeSettings): string =>
  serverName === "" ? publicUrl : resourceUrl(publicUrl, path)
