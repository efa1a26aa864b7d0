/** The forms of a request target (RFC 9112, section 3.2). Pure. */

/** A target as a path and query, and the host that it names, if it is in absolute form. */
export interface RequestTarget {
  /** Path and query, byte for byte. Begins with a slash, except in forms that name no resource. */
  readonly origin: string
  /** Host and port as the target has them; `undefined` in origin form. */
  readonly authority: string | undefined
}

// No user information, and no character that cannot occur in a host; `publicUrl` checks the rest.
const absolute = /^https?:\/\/([^/?#@\\\s]+)(?=[/?]|$)/i

/**
 * Splits a target in absolute form; returns others unchanged.
 *
 * The path is not changed: nothing is decoded, and dot segments are kept. An empty path becomes `/`.
 *
 * @see RFC 9112, section 3.2.2: servers must accept the absolute form, which clients send only to proxies
 */
export const requestTarget = (target: string): RequestTarget => {
  const match = target.startsWith("/") ? null : absolute.exec(target)
  const authority = match?.[1]
  if (match === null || authority === undefined) return { origin: target, authority: undefined }
  const rest = target.slice(match[0].length)
  return { origin: rest.startsWith("/") ? rest : `/${rest}`, authority }
}

// Default ports are ignored, whichever of the two: the comparison needs no more.
const defaultPort = /:(?:80|443)?$/

const comparable = (authority: string): string => authority.toLowerCase().replace(defaultPort, "")

/** Returns whether `Host` and the host of a target in absolute form are the same. */
export const isSameAuthority = (one: string, other: string): boolean => comparable(one) === comparable(other)
