import * as Result from "effect/Result"
import { resourceUrl } from "../config/kinds/resourceUrl.ts"
import { InvalidRequest } from "../errors/GatewayError.ts"
import { isPlainRest } from "./plainRest.ts"

/** Where a request goes, decided by its target alone. */
export type Route =
  | { readonly _tag: "ProtectedResource" }
  | { readonly _tag: "AuthorizationServer"; readonly document: "oauth-authorization-server" | "openid-configuration" }
  | { readonly _tag: "Mcp"; readonly rest: string; readonly query: string }
  | { readonly _tag: "Health" }
  | { readonly _tag: "Readiness" }
  | { readonly _tag: "Unknown" }

/** Finds the route of a request target (path and query). */
export type FindRoute = (target: string) => Result.Result<Route, InvalidRequest>

/** The routes of public documents. */
export type DiscoveryRoute = Extract<Route, { _tag: "ProtectedResource" | "AuthorizationServer" }>

/** The discovery documents by the names under which they are well known. */
const documents: ReadonlyArray<readonly [string, DiscoveryRoute]> = [
  ["oauth-protected-resource", { _tag: "ProtectedResource" }],
  ["oauth-authorization-server", { _tag: "AuthorizationServer", document: "oauth-authorization-server" }],
  ["openid-configuration", { _tag: "AuthorizationServer", document: "openid-configuration" }]
]

/** What may stand behind the name of a document: nothing, or the path of the endpoint, as this host or its public URL has it. */
const suffixesOf = (mcpPath: string, publicUrl: string | undefined): ReadonlySet<string> => {
  const paths = publicUrl === undefined ? [mcpPath] : [mcpPath, new URL(resourceUrl(publicUrl, mcpPath)).pathname]
  return new Set(["", ...paths.filter((path) => path !== "/")])
}

const unknown: Route = { _tag: "Unknown" }

/**
 * The paths of the discovery documents for hosts that route by path, each followed by `/*` where it stands for the host:
 * what is asked for below it is no document unless it has a path of its own here.
 */
export const documentPaths = (mcpPath: string, publicUrl: string | undefined): ReadonlyArray<`/${string}`> =>
  documents.flatMap(([name]) =>
    Array.from(
      suffixesOf(mcpPath, publicUrl),
      (suffix) => `/.well-known/${name}${suffix === "" ? "/*" : suffix}` as const
    )
  )

/**
 * Builds the function that finds the route of a request target.
 *
 * Paths are compared byte by byte: no case folding, no decoding, no normalising, so that what is protected and what
 * is forwarded cannot be two different readings of one path. A target that is not in origin form (RFC 9112, section
 * 3.2.1) is an `InvalidRequest`.
 *
 * It remembers its last answer for a target without a query: nearly all requests have one target.
 *
 * @param mcpPath `MCP_PATH`
 * @param publicUrl `MCP_PUBLIC_URL`, whose path, if it has one, may stand in inserted well-known URLs
 */
export const makeRoute = (mcpPath: string, publicUrl: string | undefined): FindRoute => {
  const wellKnown = new Map<string, Route>()
  for (const suffix of suffixesOf(mcpPath, publicUrl)) {
    for (const [name, route] of documents) {
      const path = `/.well-known/${name}${suffix}`
      wellKnown.set(path, route).set(`${path}/`, route)
    }
  }

  const prefix = mcpPath === "/" ? "/" : `${mcpPath}/`

  const find: FindRoute = (target) => {
    if (!target.startsWith("/")) {
      return Result.fail(new InvalidRequest({ reason: "MalformedTarget", detail: "not in origin form" }))
    }
    const mark = target.indexOf("?")
    const path = mark === -1 ? target : target.slice(0, mark)
    const query = mark === -1 ? "" : target.slice(mark + 1)
    if (path === mcpPath) return Result.succeed({ _tag: "Mcp", rest: "", query })
    const known = path.startsWith("/.well-known/") ? wellKnown.get(path) ?? unknown : undefined
    if (known !== undefined) return Result.succeed(known)
    if (path === "/healthz") return Result.succeed({ _tag: "Health" })
    if (path === "/readyz") return Result.succeed({ _tag: "Readiness" })
    if (!path.startsWith(prefix)) return Result.succeed(unknown)
    const rest = path.slice(prefix.length - 1)
    return Result.succeed(isPlainRest(rest) ? { _tag: "Mcp", rest, query } : unknown)
  }

  let last: { readonly target: string; readonly route: ReturnType<FindRoute> } | undefined

  return (target) => {
    // A query may hold what nobody should keep.
    if (target.includes("?")) return find(target)
    if (last?.target !== target) last = { target, route: find(target) }
    return last.route
  }
}
