import * as Result from "effect/Result"
import { resourceUrl } from "../config/resourceUrl.ts"
import { InvalidRequest } from "../errors/GatewayError.ts"

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

const documents = ["oauth-authorization-server", "openid-configuration"] as const

const unknown: Route = { _tag: "Unknown" }

// Visible ASCII without what some server between here and the tool might read differently: backslash, `;`, an encoded
// slash, backslash, dot, percent sign or control character, an empty segment, a dot segment.
const plainRest = /^(?:\/(?:[!$&-.0-:=@A-Z[\]_a-z~]|%(?![01]|2[5ef]|5c|7f)[0-9a-f]{2})*)*$/i
const emptyOrDotSegment = /\/(?:\/|\.{1,2}(?:\/|$))/

const isPlainRest = (rest: string): boolean =>
  rest === "" || rest === "/" || (plainRest.test(rest) && !emptyOrDotSegment.test(rest))

const documentsOf = (mcpPath: string, publicUrl: string | undefined) => {
  const suffixes = new Set(["", mcpPath])
  if (publicUrl !== undefined) suffixes.add(new URL(resourceUrl(publicUrl, mcpPath)).pathname)
  const routes: ReadonlyArray<readonly [string, DiscoveryRoute]> = [
    ["oauth-protected-resource", { _tag: "ProtectedResource" }],
    ...documents.map((document) => [document, { _tag: "AuthorizationServer", document }] as const)
  ]
  return routes.flatMap(([name, route]) =>
    [...suffixes].flatMap((suffix) => {
      const path = `/.well-known/${name}${suffix === "/" ? "" : suffix}` as const
      return [{ path, route }, { path: `${path}/` as const, route }]
    })
  )
}

/** The paths at which the discovery documents of this endpoint stand, apart from those of the host. */
export const documentPaths = (mcpPath: string, publicUrl: string | undefined): ReadonlyArray<`/${string}`> => [
  ...new Set(
    documentsOf(mcpPath, publicUrl).flatMap(({ path }) =>
      path.endsWith("/") || path.split("/").length < 4 ? [] : [path]
    )
  )
]

/**
 * Builds the function that finds the route of a request target.
 *
 * Paths are compared byte by byte: no case folding, no decoding, no normalising, so that what is protected and what
 * is forwarded cannot be two different readings of one path. A target that is not in origin form (RFC 9112, section
 * 3.2.1) is an `InvalidRequest`.
 *
 * @param mcpPath `MCP_PATH`
 * @param publicUrl `MCP_PUBLIC_URL`, whose path, if it has one, may stand in inserted well-known URLs
 */
export const makeRoute = (mcpPath: string, publicUrl: string | undefined): FindRoute => {
  const wellKnown = new Map<string, Route>()
  for (const { path, route } of documentsOf(mcpPath, publicUrl)) wellKnown.set(path, route)

  const prefix = mcpPath === "/" ? "/" : `${mcpPath}/`

  return (target) => {
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
}
