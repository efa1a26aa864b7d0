/** The entries of the audit log, one for each decision. Pure. */
import { markdownTable } from "../config/markdownTable.ts"

/** The possible decisions about a message. */
export const auditDecisions = [
  "allowed",
  "unauthenticated",
  "missing_scopes",
  "denied",
  "rejected",
  "rate_limited"
] as const

/** One of `auditDecisions`. */
export type AuditDecision = typeof auditDecisions[number]

/**
 * A decision about one JSON-RPC message, or about a request without a message. `auditFields` describes the members. A
 * member is left out if its value is unknown.
 */
export interface AuditEntry {
  readonly time: string
  readonly trace_id: string
  readonly request_id?: string
  readonly span_id?: string
  readonly server?: string
  readonly client_address?: string
  readonly provider?: string
  readonly subject?: string
  readonly client?: string
  readonly session?: string
  readonly http_method: string
  readonly method?: string
  readonly tool?: string
  readonly prompt?: string
  readonly resource?: string
  readonly arguments?: Readonly<Record<string, string | number | boolean | null>>
  readonly decision: AuditDecision
  readonly rule?: number | "default"
  readonly missing_scopes?: ReadonlyArray<string>
  readonly error?: string
  readonly reason?: string
  readonly status?: number
  readonly ended?: string
  readonly duration_ms: number
}

/** The members of an entry and their meaning, in the order of a line. */
export const auditFields: { readonly [Name in keyof Required<AuditEntry>]: string } = {
  time: "when the request arrived (RFC 3339, UTC, with milliseconds)",
  trace_id: "the id of the trace where requests are traced, otherwise the id of the request in `MCP_TRACE_HEADER`",
  request_id: "the id of the request in `MCP_TRACE_HEADER`, where it is not the id of the trace",
  span_id: "the span of the request, where requests are traced",
  server: "the name of the MCP server, where it has one",
  client_address: "the address that the request came from; behind a trusted proxy the one that the proxy reports",
  provider: "the provider that verified the token",
  subject: "who called: the token's subject, or its pseudonym (`MCP_AUDIT_SUBJECTS`)",
  client: "the OAuth client of the token, or its pseudonym",
  session:
    "a digest of `Mcp-Session-Id`: the same for all requests of a session, useless to anyone who wants to join it",
  http_method: "the method of the HTTP request",
  method:
    "the method of the JSON-RPC message, such as `tools/call`; left out for a request without a message, and for one that was decided before its message was read",
  tool: "the tool that was called",
  prompt: "the prompt that was asked for",
  resource: "the URI of the resource that was read or subscribed to, without its query",
  arguments:
    "the arguments that `MCP_AUDIT_ARGUMENTS` names, by their paths in the call; text is cut after 256 characters, and an object or array is written as JSON text",
  decision:
    "`allowed`: sent to the MCP server, regardless of the outcome there; `unauthenticated`: no token, or a rejected one; `missing_scopes`; `denied`: by a rule, a policy or the origin; `rejected`: malformed, not acceptable, or not decided, see `error`; `rate_limited`",
  rule: "the number of the rule that decided, from 1, or `default`; left out where there are no rules",
  missing_scopes: "the scopes that the token lacks, where the decision is `missing_scopes`",
  error: "the kind of error that the request ended with, as in the log",
  reason: "more about the error, from a fixed list, or why a rule denied the message",
  status:
    "the HTTP status of the response, 499 where the client left before there was one; left out by embedded servers for what they let in, because their response comes later",
  ended: "why the response is not complete, as in the log",
  duration_ms:
    "from the arrival of the request to the end of its response, in milliseconds; in embedded servers to the decision"
}

/** Returns the table of the members for the README. */
export const auditReference = (): string =>
  markdownTable(["Member", "Meaning"], Object.entries(auditFields).map(([name, meaning]) => [`\`${name}\``, meaning]))

/** Serializes an entry as one line of JSON, without a line break. */
export const auditLine = (entry: AuditEntry): string => JSON.stringify(entry)
