/** Settings that appear in HTTP messages. */
import * as Result from "effect/Result"
import { fieldName } from "../../identity/untrustedFields.ts"
import { invalid, type Kind } from "./kind.ts"
import { string } from "./kinds.ts"

const segments = /^(?:\/|(?:\/[A-Za-z0-9._~-]+)+)$/
const taken = ["/.well-known", "/healthz", "/readyz", "/forward-auth"]

/** The path of the MCP endpoint. */
export const endpointPath: Kind<string, string> = string("path", (text) => {
  if (!segments.test(text)) {
    return invalid(
      "is not a plain absolute path",
      "Begin with a slash, end without one, and use letters, digits, ., _, ~ and - between single slashes"
    )
  }
  if (/\/\.\.?(?:\/|$)/.test(text)) return invalid("has a dot segment", "Write the path without . and ..")
  const path = text.toLowerCase()
  return taken.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))
    ? invalid(
      "belongs to the gateway itself",
      "Choose a path other than /.well-known, /healthz, /readyz and /forward-auth"
    )
    : Result.succeed(text)
})

// A trace id in these fields would break their own function.
const ownFields: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "allow",
  "authorization",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "cookie",
  "date",
  "expect",
  "forwarded",
  "host",
  "http2-settings",
  "keep-alive",
  "last-event-id",
  "location",
  "origin",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "retry-after",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
  "vary",
  "via",
  "www-authenticate"
])
const ownPrefixes = ["access-control-", "mcp-"]

/** The name of a field that the gateway may set itself (RFC 9110, section 5.1), in lower case. */
export const traceField: Kind<string, string> = string("field name", (text) => {
  const name = text.toLowerCase()
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/.test(name)) {
    return invalid("is not a field name", "Use letters, digits and -, as in X-Trace-Id")
  }
  const { claimsIdentity, describesRoute, folded } = fieldName(name)
  return claimsIdentity || describesRoute || ownFields.has(folded) ||
      ownPrefixes.some((prefix) => folded.startsWith(prefix))
    ? invalid("is a field with another meaning", "Choose a name of its own, as X-Trace-Id or X-Request-Id")
    : Result.succeed(name)
})

/** The field in which MCP clients send tokens. */
const defaultTokenField = "authorization"

/** The name of the field with the token, in lower case: `Authorization`, or one in which proxies put credentials. */
export const tokenField: Kind<string, string> = string("field name", (text) => {
  const name = text.toLowerCase()
  const { claimsIdentity, folded } = fieldName(name)
  const isCredential = claimsIdentity && name === folded && !ownFields.has(folded) && !folded.startsWith("cookie") &&
    !/^x-http-method|^x-method-override$|^proxy$/.test(folded)
  return name === defaultTokenField || isCredential
    ? Result.succeed(name)
    : invalid(
      "is not a field in which a proxy puts a token",
      "Write the field that your proxy sets, as Cf-Access-Jwt-Assertion or X-Forwarded-Access-Token"
    )
})
