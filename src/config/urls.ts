/**
 * URLs as settings: strict, and kept as they were written wherever they are compared as strings.
 */
import * as Result from "effect/Result"
import { checkSocketUrl, meansSocket } from "./gatewaySocket.ts"
import { type Checked, type Kind, refuse, string } from "./kinds.ts"
import { isLoopbackHost } from "./loopback.ts"

const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#\\]+)[\x21-\x5b\x5d-\x7e]*$/i

/** Parses an absolute URL of visible ASCII characters. `URL` alone would repair too much: backslashes, line breaks. */
const parse = (text: string): { readonly url: URL; readonly authority: string } | undefined => {
  const authority = absolute.exec(text)?.[1]
  if (authority === undefined || !/^[\x21-\x7e]+$/.test(authority)) return undefined
  const url = Result.getOrUndefined(Result.try(() => new URL(text)))
  return url === undefined ? undefined : { url, authority }
}

interface Rules {
  /** `http` for every host, or for loopback hosts only. */
  readonly http: "Anywhere" | "Loopback"
  readonly query: boolean
}

const check = (text: string, rules: Rules): Checked<URL> => {
  const parsed = parse(text)
  if (parsed === undefined) return refuse("is not an absolute URL", "Write it as https://host/path")
  const { authority, url } = parsed
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return refuse("is neither an https nor an http URL", "Write it as https://host/path")
  }
  if (authority.includes("@")) return refuse("has credentials in the URL", "Remove the part before the @")
  if (text.includes("#")) return refuse("has a fragment", "Remove the # and what follows it")
  if (!rules.query && text.includes("?")) return refuse("has a query", "Remove the ? and what follows it")
  if (url.protocol === "http:" && rules.http === "Loopback" && !isLoopbackHost(url.hostname)) {
    return refuse(
      "is an http URL",
      "Use https; http is for loopback hosts only (localhost, 127.0.0.0/8, [::1])"
    )
  }
  return Result.succeed(url)
}

const bareDomain = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)+\.?(?::[0-9]{1,5})?(?:\/[^\s]*)?$/i

/** `tenant.authkit.app` means `https://tenant.authkit.app`. */
const withScheme = (text: string): string => bareDomain.test(text) ? `https://${text}` : text

/** An issuer that must be a URL: no query and no fragment (RFC 8414, section 2). The string is kept, slash and all. */
export const issuerUrl = (text: string): Checked<string> => {
  const issuer = withScheme(text)
  return Result.map(check(issuer, { http: "Loopback", query: false }), () => issuer)
}

/** A URL of a provider: https, or http on a loopback host. A bare domain gets `https://`. */
export const providerUrl: Kind<string, string> = string("https URL", (text) => {
  const url = withScheme(text)
  return Result.map(check(url, { http: "Loopback", query: true }), () => url)
})

/** Where the MCP server is: http, https, or http over a Unix socket. */
export const gatewayUrl: Kind<string, string> = string("URL", (text) =>
  meansSocket(text)
    ? checkSocketUrl(text)
    : Result.map(check(text, { http: "Anywhere", query: false }), () => text))

/** Where clients find the gateway: the serialised origin, and the path if there is one, without a slash at the end. */
export const publicUrl: Kind<string, string> = string(
  "https URL",
  (text) =>
    Result.flatMap(check(text, { http: "Loopback", query: false }), ({ origin, pathname }) => {
      const path = pathname.endsWith("/") ? pathname.slice(0, -1) : pathname
      return /\/(?:\/|$)/.test(path)
        ? refuse("has an empty path segment", "Write each slash once")
        : Result.succeed(origin + path)
    })
)
