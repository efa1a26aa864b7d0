/** The forms of a request target (RFC 9112, section 3.2). Pure. */

/** A target as a path and query, and the host that it names, if it is in absolute form. */
export interface RequestTarget {
  /** Path and query, byte for byte; begins with a slash where the target is one of a resource. */
  readonly origin: string
  /** Host and port as the target has them; `undefined` in origin form. */
  readonly authority: string | undefined
}

// No user information, and nothing that cannot be a host: `publicUrl` checks the rest.
const absolute = /^https?:\/\/([^/?#@\\\s]+)(?=[/?]|$)/i

/**
 * Takes a target in absolute form apart; others are left as they are.
 *
 * The path is not touched: no decoding, no dot segments removed. An empty one is the root.
 *
 * @see RFC 9112, section 3.2.2: a server must accept the absolute form, though only proxies are sent it as a rule
 */
export const requestTarget = (target: string): RequestTarget => {
  const match = target.startsWith("/") ? null : absolute.exec(target)
  const authority = match?.[1]
  if (match === null || authority === undefined) return { origin: target, authority: undefined }
  const rest = target.slice(match[0].length)
  return { origin: rest.startsWith("/") ? rest : `/${rest}`, authority }
}

// The ports that may be left out; which of the two is meant does not matter for a comparison.
const defaultPort = /:(?:80|443)?$/

const comparable = (authority: string): string => authority.toLowerCase().replace(defaultPort, "")

/** Returns whether `Host` and the host of a target in absolute form are the same. */
export const isSameAuthority = (one: string, other: string): boolean => comparable(one) === comparable(other)
