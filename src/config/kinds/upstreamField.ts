import * as Result from "effect/Result"
import { identityFields } from "../../identity/identityFields.ts"
import { fieldName } from "../../identity/untrustedFields.ts"
import { invalid, type Kind } from "./kind.ts"
import { string } from "./kinds.ts"

const form = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/

const filled: ReadonlySet<string> = new Set(identityFields)

// Fields that servers, proxies or the connection interpret themselves.
const taken = new RegExp(
  `^(?:${
    [
      "host",
      "origin",
      "referer",
      "user-agent",
      "date",
      "expect",
      "te",
      "trailer",
      "upgrade",
      "connection",
      "keep-alive",
      "transfer-encoding",
      "http2-settings",
      "last-event-id",
      "traceparent",
      "tracestate",
      "baggage",
      "cookie2?",
      "proxy(?:-.*)?",
      "accept(?:-.*)?",
      "access-control-.*",
      "cache-control",
      "content-.*",
      "if-.*",
      "mcp-.*",
      "sec-.*",
      "x-http-method.*",
      "x-method-override"
    ].join("|")
  })$`
)

/** The field with the proof for the MCP server, in lower case: `Authorization`, or one of an application. */
export const upstreamFieldKind: Kind<string, string> = string("field name", (text) => {
  const field = text.toLowerCase()
  if (field.length > 64 || !form.test(field)) {
    return invalid("is not a field name", "Use letters, digits and single hyphens, as in X-Gateway-Token")
  }
  if (filled.has(field)) {
    return invalid("is a field that the gateway fills with the identity of the caller", "Choose another one")
  }
  return taken.test(field) || fieldName(field).describesRoute
    ? invalid("is a field with another meaning", "Write Authorization, or a field of its own, as X-Gateway-Token")
    : Result.succeed(field)
})
