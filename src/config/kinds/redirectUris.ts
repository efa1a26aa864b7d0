/** Redirect URIs of OAuth clients. Pure. */
import * as Result from "effect/Result"
import { type Checked, invalid, type Kind } from "./kind.ts"
import { list } from "./kinds.ts"
import { isLoopbackHost } from "./loopback.ts"

const maxLength = 2_048

/** A scheme, followed by visible ASCII characters that need no escaping anywhere. */
const form = /^([a-z][a-z0-9+.-]{0,62}):[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/

/** Schemes that browsers handle themselves, instead of starting an application. */
const browserSchemes: ReadonlySet<string> = new Set([
  "about",
  "blob",
  "data",
  "file",
  "filesystem",
  "ftp",
  "javascript",
  "mailto",
  "tel",
  "vbscript",
  "view-source",
  "ws",
  "wss"
])

/** The parameters that an authorization response adds (RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207, section 2). */
const responseParameters = ["code", "error", "iss", "state"] as const

/** Returns the problem of a redirect URI, as a phrase that begins with a verb; `undefined` if it is usable. */
export const redirectUriProblem = (uri: string): string | undefined => {
  const scheme = uri.length > maxLength ? undefined : form.exec(uri)?.[1]
  if (scheme === undefined) return "is not an absolute URI in plain characters"
  if (browserSchemes.has(scheme)) return `has the scheme ${scheme}, which no application can have`
  if (uri.includes("#")) return "has a fragment"
  if (uri.includes("*")) return "contains a wildcard"
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  if (url === undefined) return "is not a URI"
  if (url.username !== "" || url.password !== "") return "has credentials in it"
  // A client that reads the first of two parameters would read this one.
  const own = responseParameters.find((name) => url.searchParams.has(name))
  if (own !== undefined) return `has the parameter ${own}, which responses add`
  if (scheme !== "http" && scheme !== "https") return undefined
  // The URI must be written as a browser would request it, because it is compared as text: no upper case, no dot
  // segments, no default port.
  if (url.href !== uri && url.href !== `${uri}/`) return "is not in normal form, as a browser would show it"
  return scheme === "http" && !isLoopbackHost(url.hostname)
    ? "is an http URL of another host than this machine"
    : undefined
}

const loopback = /^http:\/\/(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?=[:/]|$)/

/** Returns a loopback redirect URI without its port (RFC 8252, section 7.3), and any other URI unchanged. */
const withoutPort = (uri: string): string => {
  const host = loopback.exec(uri)?.[0]
  return host === undefined ? uri : host + uri.slice(host.length).replace(/^:[0-9]{1,5}(?=\/|$)/, "")
}

const loopbackRoot = /^http:\/\/(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?$/

/** A loopback redirect URI without a path has the path `/`, as a browser requests it (RFC 3986, section 6.2.3). */
const withRoot = (uri: string): string => loopbackRoot.test(uri) ? `${uri}/` : uri

const secureLoopback = /^https:\/\/(?:(?:[a-z0-9-]+\.)*localhost\.?|127(?:\.[0-9]{1,3}){3}|\[::1\])(?=[:/?]|$)/

/**
 * Returns whether a redirect URI leads to a program on the user's computer, which any other program there could replace.
 */
export const isLocalRedirect = (uri: string): boolean => !uri.startsWith("https:") || secureLoopback.test(uri)

/**
 * Returns whether a redirect URI is allowed: it must equal one in the list, character for character, except that a
 * loopback URI without a port matches every port (RFC 8252, section 7.3), and may leave out the slash that is its whole
 * path.
 */
export const isAllowedRedirect = (allowed: ReadonlyArray<string>, uri: string): boolean => {
  if (redirectUriProblem(uri) !== undefined) return false
  const forms = new Set([withRoot(uri), withRoot(withoutPort(uri))])
  return allowed.some((one) => forms.has(withRoot(one)))
}

const checked = (members: ReadonlyArray<string>): Checked<ReadonlyArray<string>> => {
  for (const member of members) {
    const problem = redirectUriProblem(member)
    if (problem !== undefined) {
      return invalid(
        `contains a redirect URI that ${problem}`,
        "Write https://host/path exactly, http://127.0.0.1/path for every port of this machine, or app:/path"
      )
    }
  }
  return Result.succeed(members)
}

export const redirectUris: Kind<ReadonlyArray<string>, string | ReadonlyArray<string>> = list(
  "comma list",
  /[\s,]/,
  checked
)

/** Clients that are trusted: by an https redirect URI, or by the URL that is their id. */
export const trustedClients: Kind<ReadonlyArray<string>, string | ReadonlyArray<string>> = list(
  "comma list",
  /[\s,]/,
  (members) =>
    Result.flatMap(checked(members), (usable): Checked<ReadonlyArray<string>> =>
      usable.some(isLocalRedirect)
        ? invalid(
          "contains a redirect URI of programs on the user's computer, which any program there could use",
          "Keep https URLs only; users of such programs see the consent page (RFC 8252, section 8.6)"
        )
        : Result.succeed(usable))
)
