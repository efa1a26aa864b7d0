/**
 * The intended differences between the guard of an embedded server and `HttpApp`, with reasons. Nothing else may
 * differ.
 */
import type { PlayedExchange } from "../fixtures/exchanges.ts"
import { type Difference, nothing, without } from "./differences.ts"
import type { Seen } from "./drivers.ts"

const isSent = (_: PlayedExchange, { sent }: Seen): boolean => sent.length > 0

/** The fields that the gateway adds to every response, including those of handlers. */
const commonFields = [
  "access-control-allow-origin",
  "access-control-expose-headers",
  "mcp-session-id",
  "vary",
  "x-accel-buffering",
  "x-trace-id"
]

const isGuarded = ({ target }: PlayedExchange): boolean => /^\/mcp(?:\?|$)|^\/\.well-known\/oauth-/.test(target)

/** What the gateway does not relay unchanged. A handler is not another server, and may send all of this. */
const changedByGateway = new Set([
  "breaks",
  "challenged",
  "down",
  "fault",
  "late",
  "odd",
  "redirect",
  "scope",
  "strict"
])

/**
 * The errors of a message that was read, and of a method without a message. For `InvalidRequest`, only those with these
 * reasons.
 */
const messageErrors = new Set<unknown>([
  "HeaderMismatch",
  "MethodNotAllowed",
  "MissingProtocolVersion",
  "PayloadTooLarge",
  "UnsupportedMediaType"
])
const messageReasons = new Set<unknown>(["AmbiguousMessage", "MalformedMessage", "MessageTooDeep"])

const isAboutMessage = ({ log: [first] }: Seen): boolean =>
  messageErrors.has(first?.["error"]) || messageReasons.has(first?.["reason"])

const errorOf = ({ log: [first] }: Seen): unknown => first?.["error"]

/** The member that the gateway removes from messages, as it occurs in the exchanges. */
const forgedMember = /,"_authContext":\{[^{}]*\}/g

const common: ReadonlyArray<Difference<Seen>> = [
  {
    where: "paths",
    reason: "the host routes the MCP endpoint and the documents to the guard, and has all other paths for itself",
    applies: (exchange) => !isGuarded(exchange),
    comparable: nothing,
    example: { method: "GET", target: "/healthz", body: "none" }
  },
  {
    where: "the log of a request that is not rejected",
    reason: "the host has an access log of its own, and knows the status",
    applies: (_, expected) => errorOf(expected) === undefined || expected.sent.length > 0,
    comparable: without("log"),
    example: { method: "OPTIONS", body: "none" }
  },
  {
    where: "the request that is let in",
    reason:
      "a handler has the caller as a value and reads the message as it was sent; no identity field and no member is added",
    applies: isSent,
    comparable: (left, { sent }) => ({
      ...left,
      sent: sent.slice(0, 1).map(({ body, headers, identity, method }) => ({
        method,
        identity,
        session: headers["mcp-session-id"],
        body: body.includes("initialize") ? "" : body.replace(forgedMember, "")
      }))
    }),
    example: { body: "initialize" }
  },
  {
    where: "the fields of a handler's response",
    reason: "a handler is not another server, whose claims about origins, hops and caches could be foreign",
    applies: isSent,
    comparable: (left, { headers }) => ({
      ...left,
      headers: Object.fromEntries(commonFields.map((name) => [name, headers[name]]))
    }),
    example: { upstream: "plain" }
  },
  {
    where: "a handler's response that a gateway does not relay",
    reason: "a handler may redirect and demand what it likes, and its failures are responded to by its host",
    applies: (exchange, expected) =>
      isSent(exchange, expected) &&
      (changedByGateway.has(exchange.upstream) || (exchange.body === "initialize" && exchange.method !== "GET")),
    comparable: without("body", "headers", "status"),
    example: { upstream: "redirect" }
  }
]

/** Differences that depend on the configuration of the guard. */
export const guardDifferences: Readonly<Record<"plain" | "ruled", ReadonlyArray<Difference<Seen>>>> = {
  plain: [
    ...common,
    {
      where: "messages that cannot be read",
      reason: "without rules nothing that the message says matters to the guard, and the handler reads it",
      applies: (_, expected) => isAboutMessage(expected),
      comparable: nothing,
      example: { body: "broken" }
    }
  ],
  ruled: [
    ...common,
    {
      where: "methods with other messages than those of MCP",
      reason: "rules are about messages, which embedded servers get by POST alone",
      applies: ({ body, method }) =>
        ["PATCH", "PUT", "TRACE"].includes(method) || (method === "DELETE" && body !== "none"),
      comparable: nothing,
      example: { method: "PUT" }
    }
  ]
}
