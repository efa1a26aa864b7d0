/** Redirects of the MCP server to another spelling of its URL. */
import * as Effect from "effect/Effect"
import { loggedPath } from "../errors/loggedPath.ts"
import { annotate } from "../log/logFields.ts"
import type { UpstreamResponse } from "./GatewayClient.ts"

type Head = Pick<UpstreamResponse, "headers" | "status">

const redirects: ReadonlySet<number> = new Set([300, 301, 302, 303, 307, 308])

// Statuses that web frameworks use if only the slash at the end differs. 303 and 300 mean something else.
const respellings: ReadonlySet<number> = new Set([301, 302, 307, 308])

export const isRedirect = (status: number): boolean => redirects.has(status)

const locationOf = ({ headers: { location } }: Head, base: string): URL | undefined =>
  typeof location === "string" && URL.canParse(location, base) ? new URL(location, base) : undefined

/** Where a redirect leads, for the log: origin and cleaned path, or only the path if the redirect is relative. */
export const redirectTarget = (head: Head): string => {
  // A host that does not exist, to detect relative references.
  const base = "http://relative.invalid"
  const url = locationOf(head, base)
  if (url === undefined) return "nowhere"
  const path = loggedPath(url.pathname)
  return url.origin === base ? path : `${url.origin.slice(0, 128)}${path}`
}

const otherSpelling = (path: string): string => path.endsWith("/") ? path.slice(0, -1) : `${path}/`

/**
 * Returns the path that a redirect leads to, if it has the same origin and differs only in the slash at its end.
 *
 * @param origin scheme, host and port of the request
 * @param target path and query of the request
 */
export const respelledPath = (head: Head, origin: string, target: string): string | undefined => {
  if (!respellings.has(head.status)) return undefined
  const url = locationOf(head, origin + target)
  const asked = new URL(origin + target)
  if (url === undefined || url.origin !== asked.origin || url.username !== "" || url.password !== "") return undefined
  if (url.search !== "" && url.search !== asked.search) return undefined
  return asked.pathname !== "/" && url.pathname === otherSpelling(asked.pathname) ? url.pathname : undefined
}

/**
 * Logs that requests use the other spelling of the MCP server's URL from now on.
 *
 * @param head the redirect
 */
export const logRespelled = (head: Head): Effect.Effect<void> =>
  Effect.logWarning(
    "MCP_SERVER_URL redirects to the same URL with or without a slash at its end. Requests are sent there from now on. Set " +
      "MCP_SERVER_URL to that URL."
  ).pipe(annotate({ status: head.status, location: redirectTarget(head) }))
