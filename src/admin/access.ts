/** Who may read the admin port. Pure. */
import * as Encoding from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { isLoopbackHost } from "../config/kinds/loopback.ts"
import { isLoopbackAddress } from "../config/kinds/network.ts"

/** The parts of a request that access depends on. */
export interface AdminRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The address of the peer; `undefined` if it is unknown. */
  readonly peer: string | undefined
}

export type AccessSettings = Pick<GatewaySettings, "adminScopes" | "adminToken" | "maxTokenBytes">

export type Access =
  | { readonly _tag: "Allowed" }
  /** The credential may be a provider's token, which must be verified. */
  | { readonly _tag: "Offered"; readonly token: string }
  /** 401: the request has no credential, or a wrong one. */
  | { readonly _tag: "Unauthenticated"; readonly detail: string }
  /** 403: no credential would help. */
  | { readonly _tag: "Denied"; readonly detail: string }

const allowed: Access = { _tag: "Allowed" }
const denied = (detail: string): Access => ({ _tag: "Denied", detail })
const unauthenticated = (detail: string): Access => ({ _tag: "Unauthenticated", detail })

/** A dual-stack socket reports IPv4 peers as `::ffff:a.b.c.d`. */
const isLoopbackPeer = (peer: string | undefined): boolean =>
  peer !== undefined && isLoopbackAddress(peer.replace(/^::ffff:/i, ""))

/** The name in a `Host` field, in the form of `URL.hostname`; `undefined` for a field that no browser sends. */
const hostnameOf = (host: string | undefined): string | undefined => {
  if (host === undefined || !/^[\w.:[\]-]+$/.test(host)) return undefined
  const url = Result.getOrUndefined(Result.try(() => new URL(`http://${host}`)))
  return url?.pathname === "/" ? url.hostname : undefined
}

/** Fields that proxies add. Behind a proxy on this machine, every caller would have a local address. */
const proxyFields = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"] as const

/** Compares texts in a time that does not depend on where they differ. */
const isEqual = (one: string, other: string): boolean => {
  if (one.length !== other.length) return false
  let difference = 0
  for (let index = 0; index < one.length; index++) difference |= one.charCodeAt(index) ^ other.charCodeAt(index)
  return difference === 0
}

/** The password in `Basic` credentials (RFC 7617). The user name is ignored. */
const passwordOf = (credentials: string): string | undefined => {
  const text = Result.getOrUndefined(Encoding.decodeString(credentials))
  const colon = text?.indexOf(":") ?? -1
  return text === undefined || colon === -1 ? undefined : text.slice(colon + 1)
}

/** The secret or token of a request: a bearer token, or the password that the browser asks for. */
const credentialOf = (authorization: string | undefined): string | undefined => {
  const [, scheme = "", credentials = ""] = /^(Bearer|Basic) +(\S+) *$/i.exec(authorization ?? "") ?? []
  switch (scheme.toLowerCase()) {
    case "bearer":
      return credentials
    case "basic":
      return passwordOf(credentials)
    default:
      return undefined
  }
}

/**
 * Returns why a page of another site could have caused this request in the browser of a person with access; `undefined`
 * if it could not.
 *
 * All current browsers send `Sec-Fetch-Site`. Following a link to the page is permitted.
 *
 * @see W3C, Fetch Metadata Request Headers
 */
const foreignSite = ({ headers, method }: AdminRequest): string | undefined => {
  const site = headers["sec-fetch-site"]
  const isNavigation = method === "GET" && headers["sec-fetch-mode"] === "navigate" &&
    headers["sec-fetch-dest"] === "document"
  if (site !== undefined && site !== "same-origin" && site !== "none" && !isNavigation) {
    return "the request comes from a page of another site"
  }
  const { host, origin } = headers
  if (origin === undefined || (host !== undefined && [`http://${host}`, `https://${host}`].includes(origin))) {
    return undefined
  }
  return "the Origin is not that of the admin port"
}

/** Checks a request if no credentials are configured: only programs on this machine may read. */
const checkLocal = ({ headers, peer }: AdminRequest): Access => {
  if (!isLoopbackPeer(peer)) return denied("without MCP_ADMIN_TOKEN, only this machine may read the admin port")
  const hostname = hostnameOf(headers["host"])
  // Otherwise a page whose host name was rebound to this machine could read everything (DNS rebinding).
  if (hostname === undefined || !isLoopbackHost(hostname)) {
    return denied("the Host is not localhost or a loopback address")
  }
  const proxy = proxyFields.find((field) => headers[field] !== undefined)
  return proxy === undefined
    ? allowed
    : denied(`the request came through a proxy (${proxy}): set MCP_ADMIN_TOKEN to read the admin port through one`)
}

/**
 * Checks whether a request may read the admin port.
 *
 * Without `MCP_ADMIN_TOKEN` and `MCP_ADMIN_SCOPES`, callers on this machine may; with either, each request needs a
 * credential. Pages of other sites must never be able to make a browser send requests here.
 */
export const checkAccess = (settings: AccessSettings, request: AdminRequest): Access => {
  const foreign = foreignSite(request)
  if (foreign !== undefined) return denied(foreign)
  const { adminScopes, adminToken, maxTokenBytes } = settings
  if (adminToken === undefined && adminScopes.length === 0) return checkLocal(request)
  const credential = credentialOf(request.headers["authorization"])
  if (credential === undefined) return unauthenticated("there is no credential")
  if (adminToken !== undefined && isEqual(credential, Redacted.value(adminToken))) return allowed
  return adminScopes.length > 0 && credential.length <= maxTokenBytes
    ? { _tag: "Offered", token: credential }
    : unauthenticated("the credential is wrong")
}
