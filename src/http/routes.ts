/**
 * The table of routes: each kind of path that the gateway serves is one row. No other code compares paths.
 *
 * To add a route, add its row: who may come, with which methods, and what its response is.
 */
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { resourceUrl } from "../config/kinds/resourceUrl.ts"
import { NotFound } from "../errors/GatewayError.ts"
import { type FacadeEndpoint, facadePath, facadeProvider, type FacadeSettings, isIssuer } from "../facade/places.ts"
import type { OwnResponses } from "./course/ownResponses.ts"
import type { Next } from "./course/steps.ts"
import type { MetadataName } from "./discovery.ts"
import type { Exchange } from "./Exchange.ts"
import { facadeStep } from "./facade.ts"
import { health } from "./health.ts"
import { forwardedMethods, readMethods } from "./methods.ts"

/**
 * Where an MCP server is, for clients: `MCP_PATH`; `MCP_PUBLIC_URL`, whose path, if it has one, may be part of
 * well-known URLs; and whether there is a facade.
 */
export type ServerPlace = FacadeSettings

interface RouteCommon {
  readonly name: string
  /** Whose paths they are: the gateway's, or those of each MCP server. */
  readonly of: "gateway" | "server"
  readonly paths: (place: ServerPlace) => ReadonlyArray<string>
  /** Paths that a server has, too, where it is the only one of its host. */
  readonly alone?: ReadonlyArray<string>
  /** `undefined`: all. */
  readonly methods: ReadonlySet<string> | undefined
  /** Whether a request must have a host that determines the gateway's URL. Probes of load balancers need not. */
  readonly needsHost: boolean
  /** Whether load balancers request it repeatedly, to check the gateway. */
  readonly isProbe?: true
}

/** A route for everyone. */
export interface PublicRoute extends RouteCommon {
  readonly access: "public"
  /** Scripts of every origin may read the response, because no credentials make a difference to it. */
  readonly anyOrigin: boolean
  /** No script may read the response: it is for people in their browsers. */
  readonly noOrigin?: true
  /** The step for a request with one of the methods. */
  readonly step: (exchange: Exchange, responses: OwnResponses, settings: GatewaySettings) => Next<never>
}

/** A route for callers with a token, whose requests are forwarded. */
export interface ProtectedRoute extends RouteCommon {
  readonly access: "protected"
}

/** One row. */
export type RouteRow = PublicRoute | ProtectedRoute

/** A document is found with a slash behind its path, too. */
const withSlash = (path: string): ReadonlyArray<string> => [path, `${path}/`]

/** The paths of a well-known document: the path of the server's endpoint inserted, as this host or its public URL has it. */
const inserted = (name: MetadataName) => (place: ServerPlace): ReadonlyArray<string> => {
  const { path, publicUrl, serverName = "" } = place
  const paths = publicUrl === undefined ? [path] : [path, new URL(resourceUrl(publicUrl, path)).pathname]
  // The issuer of the only server's facade is the public URL, without the path of the endpoint.
  if (publicUrl !== undefined && serverName === "" && name !== "oauth-protected-resource" && isIssuer(place)) {
    paths.push(new URL(publicUrl).pathname)
  }
  return [...new Set(paths)].flatMap((path) => withSlash(`/.well-known/${name}${path === "/" ? "" : path}`))
}

/** A discovery document (RFC 8615): at the root of the host, and with a path inserted. */
const document = (name: MetadataName): PublicRoute => ({
  name,
  of: "server",
  access: "public",
  paths: inserted(name),
  alone: withSlash(`/.well-known/${name}`),
  methods: readMethods,
  needsHost: true,
  anyOrigin: true,
  step: (exchange, { reject, respond }) => ({
    _tag: "Document",
    name,
    publicUrl: exchange.base ?? "",
    received: (response) => respond(exchange, response),
    rejected: (error) => reject(exchange, error)
  })
})

const postMethod: ReadonlySet<string> = new Set(["POST"])

const getMethod: ReadonlySet<string> = new Set(["GET"])

/** An endpoint of the facade, where a server has one. */
const facadeEndpoint = (endpoint: FacadeEndpoint, methods: ReadonlySet<string>, isForPeople: boolean): PublicRoute => ({
  name: endpoint,
  of: "server",
  access: "public",
  paths: (place) => facadeProvider(place) === undefined ? [] : [facadePath(place, endpoint)],
  methods,
  needsHost: true,
  anyOrigin: !isForPeople,
  ...(isForPeople ? { noOrigin: true } : {}),
  step: (exchange, responses, settings) => facadeStep(endpoint, exchange, responses, settings)
})

/** The MCP endpoint and all below it. */
export const mcpRoute: ProtectedRoute = {
  name: "mcp",
  of: "server",
  access: "protected",
  paths: ({ path }) => [path],
  methods: forwardedMethods,
  needsHost: true
}

/** Every path that no row has. */
export const unknownRoute: PublicRoute = {
  name: "unknown",
  of: "gateway",
  access: "public",
  paths: () => [],
  methods: undefined,
  needsHost: true,
  anyOrigin: false,
  step: (exchange, { reject }) => reject(exchange, new NotFound())
}

/** The table. */
export const routes: ReadonlyArray<RouteRow> = [
  mcpRoute,
  document("oauth-protected-resource"),
  document("oauth-authorization-server"),
  document("openid-configuration"),
  facadeEndpoint("authorize", getMethod, true),
  facadeEndpoint("consent", postMethod, true),
  facadeEndpoint("callback", getMethod, true),
  facadeEndpoint("token", postMethod, false),
  facadeEndpoint("register", postMethod, false),
  facadeEndpoint("revoke", postMethod, false),
  facadeEndpoint("keys", readMethods, false),
  {
    name: "jwks",
    of: "gateway",
    access: "public",
    paths: () => ["/.well-known/jwks.json"],
    methods: readMethods,
    // MCP servers request it at the gateway's address inside their network.
    needsHost: false,
    anyOrigin: true,
    step: (exchange, { reject, respond }) => ({
      _tag: "Document",
      name: "jwks",
      publicUrl: "",
      received: (response) => respond(exchange, response),
      rejected: (error) => reject(exchange, error)
    })
  },
  {
    name: "health",
    of: "gateway",
    access: "public",
    paths: () => ["/healthz"],
    methods: readMethods,
    needsHost: false,
    isProbe: true,
    anyOrigin: false,
    step: (exchange, { respond }) => respond(exchange, health)
  },
  {
    name: "readiness",
    of: "gateway",
    access: "public",
    paths: () => ["/readyz"],
    methods: readMethods,
    needsHost: false,
    isProbe: true,
    anyOrigin: false,
    step: (exchange, { reject, respond }) => ({
      _tag: "Readiness",
      received: (response) => respond(exchange, response),
      rejected: (error) => reject(exchange, error)
    })
  }
]

/**
 * The paths of the discovery documents for hosts that route by path, each followed by `/*` if it is about the host: a
 * path below it is not a document unless it has its own row here.
 */
export const documentPaths = (place: ServerPlace): ReadonlyArray<`/${string}`> =>
  routes.flatMap(({ access, alone = [], of, paths }) => {
    if (of !== "server" || access !== "public") return []
    const whole = [...alone, ...paths(place)].filter((path) => path.startsWith("/.well-known/") && !path.endsWith("/"))
    return [...new Set(whole)].map((path) => `/${path.slice(1)}${alone.includes(path) ? "/*" : ""}` as const)
  })
