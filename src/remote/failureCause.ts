/** Why a request to a provider failed, as a short code and as advice. Pure. */

import { ProxyFailed } from "./ProxyFailed.ts"

// Libraries may wrap errors in other errors. Longer chains are not followed.
const maxDepth = 8

const code = /^[A-Za-z][A-Za-z0-9_]{1,63}$/

const member = (value: unknown, name: "cause" | "code" | "errors" | "syscall"): unknown =>
  // An error may be any object, and the caller checks the types of its members.
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined

/**
 * Returns the code of the innermost error of a failed request, such as `ECONNREFUSED` or `DEPTH_ZERO_SELF_SIGNED_CERT`;
 * `undefined` if the platform gives none.
 *
 * Follows the causes, and the first of several errors (a host name with several addresses). Returns only codes, because
 * messages can contain what was sent.
 */
export const errorCode = (error: unknown): string | undefined => {
  let found: string | undefined
  let current = error
  for (let depth = 0; depth < maxDepth && current !== undefined; depth++) {
    const own = member(current, "code")
    if (typeof own === "string" && code.test(own)) found = own
    const errors = member(current, "errors")
    current = Array.isArray(errors) && errors.length > 0 ? errors[0] : member(current, "cause")
  }
  return found
}

const connecting: ReadonlySet<unknown> = new Set(["connect", "getaddrinfo"])

/**
 * Returns the proxy of a failed request, as text for the log; `undefined` if none was used.
 *
 * "at" the proxy means that the proxy itself could not be reached; "through" it, that the failure is beyond the proxy.
 */
export const wayOf = (error: unknown): string | undefined => {
  let current = error
  for (let depth = 0; depth < maxDepth && current !== undefined; depth++) {
    if (current instanceof ProxyFailed) {
      const failed = current.cause instanceof AggregateError ? current.cause.errors[0] : current.cause
      const where = current.code !== undefined || connecting.has(member(failed, "syscall")) ? "at" : "through"
      return `${where} the proxy ${current.proxy}`
    }
    current = member(current, "cause")
  }
  return undefined
}

const untrusted = "the certificate is not from an authority that is trusted here; name that authority with MCP_CA_FILE"
const unresolved = "the host name cannot be resolved from here"
const noRoute = "no route to the host; check the firewall, or whether HTTPS_PROXY is needed"
const brokenOff = "the connection was closed"

const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ConnectionRefused: "nothing listens there",
  ENOTFOUND: unresolved,
  EAI_AGAIN: unresolved,
  EAI_NODATA: unresolved,
  EAI_NONAME: unresolved,
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  ETIMEDOUT: noRoute,
  UND_ERR_CONNECT_TIMEOUT: noRoute,
  ECONNRESET: brokenOff,
  EPIPE: brokenOff,
  UND_ERR_SOCKET: brokenOff,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_UNTRUSTED: untrusted,
  CERT_HAS_EXPIRED: "the certificate has expired, or the clock of this machine is wrong",
  CERT_NOT_YET_VALID: "the certificate is not valid yet, or the clock of this machine is wrong",
  CERT_REVOKED: "the certificate is revoked",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another host; use a name that it has",
  EPROTO: "the server does not speak TLS there, or another version of it",
  PROXY_407: "the proxy wants credentials; put them into the URL of the proxy"
}

const families: ReadonlyArray<readonly [RegExp, string]> = [
  [/^ERR_SSL_/, "the server does not speak TLS there, or another version of it"],
  [/^HPE_/, "the server does not speak HTTP there; it may expect TLS"],
  [/^PROXY_/, "the proxy does not let the gateway through; check its rules, or NO_PROXY"]
]

/**
 * Returns what a code means and what to do about it, in a few words; `undefined` for codes that need no explanation.
 */
export const hintOf = (code: string): string | undefined =>
  Object.hasOwn(hints, code) ? hints[code] : families.find(([pattern]) => pattern.test(code))?.[1]
