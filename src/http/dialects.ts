/**
 * The forms of error responses (`MCP_ERROR_STYLE`): one value each. No other code depends on the style.
 *
 * To add a dialect, add its name to `errorStyles`: then the table below does not compile without its row.
 */
import type { ErrorStyle } from "../config/GatewaySettings.ts"
import { insertedMetadataUrl, metadataUrl } from "./publicUrl.ts"

/** An error as status, code and text, before a dialect formats it. */
export interface Problem {
  readonly status: number
  readonly error: string
  readonly description: string
  /** Whether the response carries a challenge: 401 and 403. */
  readonly challenged?: boolean
  /** Whether the request carried no credentials at all. */
  readonly missing?: boolean
  /** For a 403, all scopes that the request needs. A 401 without it names the scopes that every request needs. */
  readonly scope?: ReadonlyArray<string>
  /** The claims that the user must satisfy at the provider, as JSON. */
  readonly claims?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** The id of the JSON-RPC request, for the dialect that repeats it. */
  readonly id?: string | number | null
  /** The JSON-RPC error that MCP requires in every dialect. */
  readonly rpc?: { readonly code: number; readonly id: string | number | null }
}

/** The parameters of a challenge that differ between the dialects. */
interface ChallengeParameters {
  readonly error?: string
  readonly error_description?: string
}

/** The form of error responses for one kind of client. */
interface Dialect {
  /** `error` and `error_description` of the challenge. */
  readonly challenge: (problem: Problem) => ChallengeParameters
  /** The response body, to be written as JSON. */
  readonly body: (problem: Problem) => unknown
  /** The URL of the protected resource metadata in the challenge. */
  readonly metadataUrl: (publicUrl: string, mcpPath: string) => string
  /** The dialect on all paths except the MCP endpoint, if it is a different one. */
  readonly elsewhere?: ErrorStyle
}

const named = ({ description, error }: Problem): ChallengeParameters => ({ error, error_description: description })

/** RFC 6750, section 3.1: no error code where the request carried no credentials. */
const namedUnlessMissing = (problem: Problem): ChallengeParameters => problem.missing === true ? {} : named(problem)

/** RFC 6749, section 5.2. */
const oauthBody = ({ description, error }: Problem) => ({ error, error_description: description })

/** In this dialect, a 401 has the code `unauthorized` regardless of what is wrong with the token. */
const asUnauthorized = (problem: Problem): Problem =>
  problem.status === 401 ? { ...problem, error: "unauthorized" } : problem

// JSON-RPC 2.0, section 5.1. MCP reserves -32000 to -32019 for implementations.
const jsonRpcCode = (status: number): number => {
  if (status === 401) return -32001
  if (status === 403) return -32003
  if (status === 400 || status === 413 || status === 415) return -32600
  return status >= 500 ? -32603 : -32000
}

const jsonRpcError = (problem: Problem) => {
  const code = jsonRpcCode(problem.status)
  return problem.missing === true
    ? { code, message: "Unauthorized: Bearer token required" }
    : { code, message: problem.description, data: oauthBody(problem) }
}

/** Integers beyond 2^53 have lost digits when they were parsed, so the client could not match the id. */
const knownId = (id: string | number | null): string | number | null =>
  typeof id === "number" && Number.isInteger(id) && !Number.isSafeInteger(id) ? null : id

/** The JSON body of an error response: as MCP requires it, otherwise as the dialect has it. */
export const bodyOf = (style: ErrorStyle, problem: Problem): unknown =>
  problem.rpc === undefined ? dialects[style].body(problem) : {
    jsonrpc: "2.0",
    id: knownId(problem.rpc.id),
    error: { code: problem.rpc.code, message: problem.description, data: oauthBody(problem) }
  }

export const dialects: { readonly [Style in ErrorStyle]: Dialect } = {
  oauth: { challenge: named, body: oauthBody, metadataUrl },
  unauthorized: {
    challenge: (problem) => named(asUnauthorized(problem)),
    body: (problem) => oauthBody(asUnauthorized(problem)),
    metadataUrl,
    elsewhere: "oauth"
  },
  jsonrpc: {
    challenge: namedUnlessMissing,
    body: (problem) => ({ jsonrpc: "2.0", id: problem.id ?? null, error: jsonRpcError(problem) }),
    metadataUrl,
    elsewhere: "oauth"
  },
  /** The URL has the path inserted (RFC 9728, section 3.1). */
  rfc6750: {
    challenge: namedUnlessMissing,
    body: oauthBody,
    metadataUrl: insertedMetadataUrl
  }
}
