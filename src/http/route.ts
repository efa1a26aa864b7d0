import * as Result from "effect/Result"
import { InvalidRequest } from "../errors/GatewayError.ts"
import { isPlainRest } from "./plainRest.ts"
import { mcpRoute, type RouteRow, routes, type ServerPlace, unknownRoute } from "./routes.ts"

/** Where a request goes, determined by its target alone. */
export interface Route {
  readonly row: RouteRow
  /** The part of the path after the MCP path. */
  readonly rest: string
  /** The query as received, without its `?`. */
  readonly query: string
}

/** Finds the route of a request target (path and query). */
export type FindRoute = (target: string) => Result.Result<Route, InvalidRequest>

const routeTo = (row: RouteRow): Result.Result<Route, InvalidRequest> => Result.succeed({ row, rest: "", query: "" })

const unknown = routeTo(unknownRoute)

/** The route of a request that is forwarded to the MCP server. */
export const toMcp = (rest: string, query: string): Result.Result<Route, InvalidRequest> =>
  Result.succeed({ row: mcpRoute, rest, query })

const notOriginForm = Result.fail(new InvalidRequest({ reason: "MalformedTarget", detail: "not in origin form" }))

const split = (target: string): readonly [path: string, query: string] => {
  const mark = target.indexOf("?")
  return mark === -1 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)]
}

/** Remembers the route of the last target without a query, because nearly all requests have the same target. */
const rememberingLast = (find: FindRoute): FindRoute => {
  let last: { readonly target: string; readonly route: ReturnType<FindRoute> } | undefined

  return (target) => {
    // Not remembered: a query may contain secrets.
    if (target.includes("?")) return find(target)
    if (last?.target !== target) last = { target, route: find(target) }
    return last.route
  }
}

const noPlace: ServerPlace = { path: "/", publicUrl: undefined }

/** The paths of the gateway itself, which no server can have. */
export const gatewayPaths: ReadonlyMap<string, RouteRow> = new Map(
  routes.filter(({ of }) => of === "gateway").flatMap((row) => row.paths(noPlace).map((path) => [path, row] as const))
)

/** Finds the routes of requests that no MCP server is configured for. */
export const makeGatewayRoute = (): FindRoute =>
  rememberingLast((target) => {
    if (!target.startsWith("/")) return notOriginForm
    const row = gatewayPaths.get(split(target)[0])
    return row === undefined ? unknown : routeTo(row)
  })

/**
 * Builds the function that finds the route of a request target.
 *
 * Paths are compared byte by byte: no case folding, no decoding, no normalising, so that what is protected and what
 * is forwarded cannot be two different readings of one path. A target that is not in origin form (RFC 9112, section
 * 3.2.1) is an `InvalidRequest`.
 */
export const makeRoute = (place: ServerPlace): FindRoute => {
  const { path: mcpPath } = place
  const known = new Map(
    routes.filter((row) => row !== mcpRoute)
      .flatMap((row) => [...row.alone ?? [], ...row.paths(place)].map((path) => [path, routeTo(row)] as const))
  )
  const prefix = mcpPath === "/" ? "/" : `${mcpPath}/`

  return rememberingLast((target) => {
    if (!target.startsWith("/")) return notOriginForm
    const [path, query] = split(target)
    if (path === mcpPath) return toMcp("", query)
    const route = known.get(path)
    if (route !== undefined) return query === "" ? route : Result.map(route, (route) => ({ ...route, query }))
    if (path.startsWith("/.well-known/") || !path.startsWith(prefix)) return unknown
    const rest = path.slice(prefix.length - 1)
    return isPlainRest(rest) ? toMcp(rest, query) : unknown
  })
}
