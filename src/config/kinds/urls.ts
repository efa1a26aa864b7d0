/** URLs as settings. They are checked strictly, and stored as written if they are compared as strings. */
import * as Result from "effect/Result"
import { checkSocketUrl, meansSocket } from "./gatewaySocket.ts"
import { type Checked, invalid, type Kind, permitted } from "./kind.ts"
import { string } from "./kinds.ts"
import { isLoopbackHost } from "./loopback.ts"

const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#\\]+)[\x21-\x5b\x5d-\x7e]*$/i

/**
 * Parses an absolute URL of visible ASCII characters. Others are rejected, because `URL` would repair them:
 * backslashes, line breaks.
 */
const parse = (text: string): { readonly url: URL; readonly authority: string } | undefined => {
  const authority = absolute.exec(text)?.[1]
  if (authority === undefined || !/^[\x21-\x7e]+$/.test(authority)) return undefined
  const url = Result.getOrUndefined(Result.try(() => new URL(text)))
  return url === undefined ? undefined : { url, authority }
}

const check = (text: string, rules: { readonly query: boolean }): Checked<URL> => {
  const parsed = parse(text)
  if (parsed === undefined) return invalid("is not an absolute URL", "Write it as https://host/path")
  const { authority, url } = parsed
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return invalid("is neither an https nor an http URL", "Write it as https://host/path")
  }
  if (authority.includes("@")) return invalid("has credentials in the URL", "Remove the part before the @")
  if (text.includes("#")) return invalid("has a fragment", "Remove the # and what follows it")
  if (!rules.query && text.includes("?")) return invalid("has a query", "Remove the ? and what follows it")
  return Result.succeed(url)
}

/**
 * Returns whether the scheme of a URL is allowed: `https`, or `http` to this machine or to one of the hosts that the
 * operator has named.
 */
export const isPermitted = ({ hostname, protocol }: URL, allowHttp: ReadonlyArray<string>): boolean =>
  protocol === "https:" || (protocol === "http:" && (isLoopbackHost(hostname) || allowHttp.includes(hostname)))

const permit = (url: string, allowHttp: ReadonlyArray<string>): Checked<string> =>
  isPermitted(new URL(url), allowHttp)
    ? Result.succeed(url)
    : invalid(
      "is an http URL",
      "Use https; http is for loopback hosts (localhost, 127.0.0.0/8, [::1]) and for those that MCP_ALLOW_HTTP names"
    )

const bareDomain = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)+\.?(?::[0-9]{1,5})?(?:\/[^\s]*)?$/i

/** `tenant.authkit.app` means `https://tenant.authkit.app`. */
const withScheme = (text: string): string => bareDomain.test(text) ? `https://${text}` : text

/**
 * An issuer that must be a URL, without query and fragment (RFC 8414, section 2). Stored as written, including a slash.
 */
export const issuerUrl = (text: string, allowHttp: ReadonlyArray<string> = []): Checked<string> => {
  const issuer = withScheme(text)
  return Result.flatMap(check(issuer, { query: false }), () => permit(issuer, allowHttp))
}

/** A URL of a provider: https, or http on an allowed host. A bare domain gets `https://`. */
export const providerUrl: Kind<string, string> = permitted(
  string("https URL", (text) => {
    const url = withScheme(text)
    return Result.map(check(url, { query: true }), () => url)
  }),
  permit
)

/** The URL of the MCP server: http, https, or http over a Unix socket. */
export const gatewayUrl: Kind<string, string> = string("URL", (text) =>
  meansSocket(text)
    ? checkSocketUrl(text)
    : Result.map(check(text, { query: false }), () => text))

/** The public URL of the gateway: the serialised origin, and the path if there is one, without a slash at the end. */
export const publicUrl: Kind<string, string> = permitted(
  string("https URL", (text) =>
    Result.flatMap(check(text, { query: false }), ({ origin, pathname }) => {
      const path = pathname.endsWith("/") ? pathname.slice(0, -1) : pathname
      return /\/(?:\/|$)/.test(path)
        ? invalid("has an empty path segment", "Write each slash once")
        : Result.succeed(origin + path)
    })),
  permit
)
