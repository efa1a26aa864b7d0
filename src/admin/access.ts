/** Who may read the admin port. Pure. */
import * as Encoding from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { isLoopbackHost } from "../config/kinds/loopback.ts"
import { isLoopbackAddress } from "../config/kinds/network.ts"

/** The parts of a request that decide whether it may read. */
export interface AdminRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The address of the connection's other end; `undefined` if it is unknown. */
  readonly peer: string | undefined
}

export type AccessSettings = Pick<GatewaySettings, "adminScopes" | "adminToken" | "maxTokenBytes">

export type Access =
  | { readonly _tag: "Allowed" }
  /** The credential may be a token of a provider, which has to be verified. */
  | { readonly _tag: "Offered"; readonly token: string }
  /** 401: there is no credential, or a wrong one. */
  | { readonly _tag: "Unauthenticated"; readonly detail: string }
  /** 403: credentials would not help. */
  | { readonly _tag: "Denied"; readonly detail: string }

const allowed: Access = { _tag: "Allowed" }
const denied = (detail: string): Access => ({ _tag: "Denied", detail })
const unauthenticated = (detail: string): Access => ({ _tag: "Unauthenticated", detail })

/** `::ffff:127.0.0.1` is how a socket for both families shows an IPv4 peer. */
const isLoopbackPeer = (peer: string | undefined): boolean =>
  peer !== undefined && isLoopbackAddress(peer.replace(/^::ffff:/i, ""))

/** The name in a `Host` field, as `URL.hostname` writes it; `undefined` for a field that no browser sends. */
const hostnameOf = (host: string | undefined): string | undefined => {
  if (host === undefined || !/^[\w.:[\]-]+$/.test(host)) return undefined
  const url = Result.getOrUndefined(Result.try(() => new URL(`http://${host}`)))
  return url?.pathname === "/" ? url.hostname : undefined
}

/** Fields that proxies add: behind one, every caller has the address of this machine. */
const proxyFields = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"] as const

/** Compares without a difference in time that depends on where the texts differ. */
const isEqual = (one: string, other: string): boolean => {
  if (one.length !== other.length) return false
  let difference = 0
  for (let index = 0; index < one.length; index++) difference |= one.charCodeAt(index) ^ other.charCodeAt(index)
  return difference === 0
}

/** The password of `Basic` credentials (RFC 7617), whose user does not matter. */
const passwordOf = (credentials: string): string | undefined => {
  const text = Result.getOrUndefined(Encoding.decodeString(credentials))
  const colon = text?.indexOf(":") ?? -1
  return text === undefined || colon === -1 ? undefined : text.slice(colon + 1)
}

/** The secret or token of a request: as a bearer token, or as the password that a browser asks its user for. */
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
 * Why a page of another site could have sent this request with the browser of a person who may read; `undefined` if it
 * could not.
 *
 * Every browser of today sends `Sec-Fetch-Site`. A person may follow a link to the page, so that is permitted.
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

/** Checks a request where the settings name no credentials: only programs on this machine may read. */
const checkLocal = ({ headers, peer }: AdminRequest): Access => {
  if (!isLoopbackPeer(peer)) return denied("without MCP_ADMIN_TOKEN, only this machine may read the admin port")
  const hostname = hostnameOf(headers["host"])
  // A page whose name was rebound to this machine would otherwise read everything (DNS rebinding).
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
 * credential. Pages of other sites may never make a browser read or post.
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
