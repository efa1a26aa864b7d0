/** Why a provider gave no usable answer, as a short code and in words that name the cure. Pure. */

import { ProxyFailed } from "./ProxyFailed.ts"

// A library may wrap an error in an error of its own, and so on; a longer chain is cut.
const maxDepth = 8

const code = /^[A-Za-z][A-Za-z0-9_]{1,63}$/

const member = (value: unknown, name: "cause" | "code" | "errors" | "syscall"): unknown =>
  // Any object may have any member; the caller checks its type.
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined

/**
 * The code of the error at the bottom of a failed request, such as `ECONNREFUSED` or `DEPTH_ZERO_SELF_SIGNED_CERT`;
 * `undefined` where the platform tells none.
 *
 * Looks through the causes, and into the first of several errors (a host name with several addresses). Only codes are
 * taken, because messages can hold what was sent.
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
 * The proxy that a failed request went through, as words for the log; `undefined` where there was none.
 *
 * `at` the proxy: it could not be reached itself. `through`: it was beyond.
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
const noRoute = "no way leads there; check the firewall, or whether HTTPS_PROXY is needed"
const brokenOff = "the connection broke off"

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
  [/^HPE_/, "what answers does not speak HTTP there; perhaps TLS"],
  [/^PROXY_/, "the proxy does not let the gateway through; check its rules, or NO_PROXY"]
]

/** What a code means and what helps, in a few words; `undefined` for one that says enough or too little. */
export const hintOf = (code: string): string | undefined =>
  Object.hasOwn(hints, code) ? hints[code] : families.find(([pattern]) => pattern.test(code))?.[1]
