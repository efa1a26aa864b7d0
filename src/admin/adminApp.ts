/** The admin port as one effect, from a request to its response. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import { loggedPath } from "../errors/loggedPath.ts"
import { annotate } from "../log/logFields.ts"
import { type Access, type AccessSettings, type AdminRequest, checkAccess } from "./access.ts"
import type { AdminRoute } from "./AdminRoute.ts"
import { AdminSource } from "./AdminSource.ts"
import { adminRoutes } from "./routes.ts"

/** Fields of every response. A page has its own policy. */
const usualHeaders = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
}

const finish = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeaders(response, { ...usualHeaders, ...response.headers })

const problem = (status: number, error: string, headers: Readonly<Record<string, string>> = {}) =>
  HttpServerResponse.jsonUnsafe({ error }, { status, headers })

const challenge = {
  "www-authenticate": "Basic realm=\"mcp-authorizer\", charset=\"UTF-8\", Bearer realm=\"mcp-authorizer\""
}

/** The log fields of a request without access, and its response. */
interface Rejection {
  readonly detail: string
  readonly response: HttpServerResponse.HttpServerResponse
}

const notAuthenticated = (detail: string): Rejection => ({
  detail,
  response: problem(401, "unauthorized", challenge)
})

/** Returns the result of the check, after verifying a token if necessary; `undefined` if the request may read. */
const rejectionOf = Effect.fnUntraced(function*(
  access: Access,
  peer: string | undefined
): Effect.fn.Return<Rejection | undefined, never, AdminSource> {
  switch (access._tag) {
    case "Allowed":
      return undefined
    case "Unauthenticated":
      return notAuthenticated(access.detail)
    case "Denied":
      return { detail: access.detail, response: problem(403, access.detail) }
    case "Offered": {
      const source = yield* AdminSource
      switch (yield* source.authorize({ token: access.token, peer: peer ?? "" })) {
        case "Allowed":
          return undefined
        case "Rejected":
          return notAuthenticated("the credential is neither MCP_ADMIN_TOKEN nor a valid token")
        case "MissingScopes":
          return { detail: "the token lacks MCP_ADMIN_SCOPES", response: problem(403, "insufficient_scope") }
        case "Unavailable":
          return { detail: "the token cannot be verified now", response: problem(503, "temporarily_unavailable") }
      }
    }
  }
})

/** The path of a target, without the query, which no row uses. */
const pathOf = (url: string): string => url.split("?", 1)[0] ?? url

const fits = ({ method }: AdminRoute, requested: string): boolean =>
  method === requested || (method === "GET" && requested === "HEAD")

/** Returns the row for a request, or a response if there is none. */
const rowOf = (
  rows: ReadonlyArray<AdminRoute>,
  path: string,
  method: string
): AdminRoute | HttpServerResponse.HttpServerResponse => {
  const here = rows.filter((row) => row.path === path)
  if (here.length === 0) return problem(404, "not_found")
  return here.find((row) => fits(row, method)) ??
    problem(405, "method_not_allowed", {
      allow: here.map((row) => row.method === "GET" ? "GET, HEAD" : row.method).join(", ")
    })
}

/**
 * Builds the admin port: access first, then the row of the path.
 *
 * Only callers with access learn which paths exist.
 */
export const makeAdminApp = (settings: () => AccessSettings, rows: ReadonlyArray<AdminRoute> = adminRoutes) =>
  Effect.gen(function*() {
    const { headers, method, remoteAddress, url } = yield* HttpServerRequest.HttpServerRequest
    const peer = Option.getOrUndefined(remoteAddress)
    const request: AdminRequest = { method, headers, peer }
    const path = pathOf(url)
    const row = rowOf(rows, path, method)
    if (!("isOpen" in row && row.isOpen === true)) {
      const rejection = yield* rejectionOf(checkAccess(settings(), request), peer)
      if (rejection !== undefined) {
        yield* Effect.logInfo("admin request rejected").pipe(
          annotate({
            client_address: peer,
            path: loggedPath(path),
            status: rejection.response.status,
            detail: rejection.detail
          })
        )
        return rejection.response
      }
    }
    return HttpServerResponse.isHttpServerResponse(row) ? row : yield* row.respond
  }).pipe(
    Effect.catchDefect((defect) =>
      Effect.as(
        Effect.logError("internal fault of the admin port").pipe(
          annotate({ fault: defect instanceof Error ? defect.name : typeof defect })
        ),
        problem(500, "server_error")
      )
    ),
    Effect.map(finish)
  )
