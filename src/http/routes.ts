/**
 * The table of routes: each kind of path that the gateway serves is one row. No other code compares paths.
 *
 * To add a route, add its row: who may request it, with which methods, and the step that builds the response.
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
 * Where clients find an MCP server: `MCP_PATH`; `MCP_PUBLIC_URL`, whose path, if any, may be part of well-known URLs;
 * and whether there is a facade.
 */
export type ServerPlace = FacadeSettings

interface RouteCommon {
  readonly name: string
  /** Whether the paths are the gateway's, or each MCP server has its own. */
  readonly of: "gateway" | "server"
  readonly paths: (place: ServerPlace) => ReadonlyArray<string>
  /** More paths of a server that is the only one of its host. */
  readonly alone?: ReadonlyArray<string>
  /** The allowed methods; `undefined` allows all. */
  readonly methods: ReadonlySet<string> | undefined
  /** Whether the request must name a host that determines the gateway's URL. Probes need not. */
  readonly needsHost: boolean
  /** Whether load balancers request the path repeatedly, to check the gateway. */
  readonly isProbe?: true
}

export interface PublicRoute extends RouteCommon {
  readonly access: "public"
  /** Whether scripts of every origin may read the response, which is the same with and without credentials. */
  readonly anyOrigin: boolean
  /** Set if no script may read the response, because it is a page for users. */
  readonly noOrigin?: true
  readonly step: (exchange: Exchange, responses: OwnResponses, settings: GatewaySettings) => Next<never>
}

/** A route for callers with a token. Its requests are forwarded. */
export interface ProtectedRoute extends RouteCommon {
  readonly access: "protected"
}

export type RouteRow = PublicRoute | ProtectedRoute

/** Documents are also found with a slash after their path. */
const withSlash = (path: string): ReadonlyArray<string> => [path, `${path}/`]

/**
 * The paths of a well-known document: the path of the server's endpoint inserted, as seen by this host or in its public
 * URL.
 */
const inserted = (name: MetadataName) => (place: ServerPlace): ReadonlyArray<string> => {
  const { path, publicUrl, serverName = "" } = place
  const paths = publicUrl === undefined ? [path] : [path, new URL(resourceUrl(publicUrl, path)).pathname]
  // If there is only one server, the issuer of its facade is the public URL without the path of the endpoint.
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

/** The MCP endpoint and all paths below it. */
export const mcpRoute: ProtectedRoute = {
  name: "mcp",
  of: "server",
  access: "protected",
  paths: ({ path }) => [path],
  methods: forwardedMethods,
  needsHost: true
}

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
    // MCP servers request the keys at the gateway's address inside their network.
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
 * The paths of the discovery documents, for hosts that route by path. `/*` follows a path that stands for the host:
 * paths below it are documents only if they have their own row here.
 */
export const documentPaths = (place: ServerPlace): ReadonlyArray<`/${string}`> =>
  routes.flatMap(({ access, alone = [], of, paths }) => {
    if (of !== "server" || access !== "public") return []
    const whole = [...alone, ...paths(place)].filter((path) => path.startsWith("/.well-known/") && !path.endsWith("/"))
    return [...new Set(whole)].map((path) => `/${path.slice(1)}${alone.includes(path) ? "/*" : ""}` as const)
  })
