/** The cookie that binds a sign-in to the browser in which it began. Pure. */
import type { FacadeSettings } from "./places.ts"

/** In seconds. As long as the sealed state can be opened. */
const lifeSeconds = 600

const secret = /^[A-Za-z0-9_-]{43}$/

const isSecure = ({ publicUrl }: Pick<FacadeSettings, "publicUrl">): boolean => publicUrl?.startsWith("https:") === true

/**
 * The name of the cookie. The prefix `__Host-` prevents other hosts of the domain from setting it. Browsers accept the
 * prefix only with https, so it is left out for http, which is only used on loopback hosts.
 *
 * @see RFC 6265bis, section 4.1.3.2
 */
export const cookieName = (settings: Pick<FacadeSettings, "publicUrl">): string =>
  isSecure(settings) ? "__Host-mcp-authorizer" : "mcp-authorizer"

/** Returns the secret of the browser; `undefined` if the request has no such cookie, or has several. */
export const browserSecret = (
  settings: Pick<FacadeSettings, "publicUrl">,
  cookie: string | undefined
): string | undefined => {
  const prefix = `${cookieName(settings)}=`
  const values = (cookie ?? "").split(/; */).filter((pair) => pair.startsWith(prefix)).map((pair) =>
    pair.slice(prefix.length)
  )
  const [value] = values
  return values.length === 1 && value !== undefined && secret.test(value) ? value : undefined
}

/** The value of `Set-Cookie`. `Lax`: the browser sends it with the navigation from the provider to the callback. */
export const setCookie = (settings: Pick<FacadeSettings, "publicUrl">, value: string): string =>
  `${cookieName(settings)}=${value}; Path=/; Max-Age=${lifeSeconds}; HttpOnly; SameSite=Lax${
    isSecure(settings) ? "; Secure" : ""
  }`
