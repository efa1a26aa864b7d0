import { fieldName } from "../identity/untrustedFields.ts"
import { hopByHop } from "./hopByHop.ts"
import { sessionField } from "./SessionSeal.ts"

// Set by the client for its own hop (`host`, `content-length`), or already handled by the server (`expect`).
const ownedByHop: ReadonlySet<string> = new Set(["host", "content-length", "expect"])

const mirrorNames: ReadonlySet<string> = new Set(["mcp-protocol-version", "mcp-method", "mcp-name"])
const paramPrefix = "mcp-param-"

/**
 * Returns whether a server that treats `_` as `-` would take this field for one that repeats the message. The field was
 * not compared with the message, so it must be removed.
 */
const looksMirrored = (name: string, folded: string): boolean =>
  (mirrorNames.has(folded) && name !== folded) || (folded.startsWith(paramPrefix) && !name.startsWith(paramPrefix))

export interface RequestHeaderOptions {
  /** Whether the peer's forwarding fields (`X-Forwarded-*`, `Forwarded`, …) are trusted and forwarded. */
  readonly trustedPeer: boolean
  readonly forwardAuthorization: boolean
  /**
   * Whether the gateway itself sends the session id. If so, all spellings of the field are removed from the client's
   * request.
   */
  readonly bindsSession: boolean
  /** Names of fields with claims, or with proof for the MCP server. They are always removed from clients' requests. */
  readonly ownedFields: ReadonlySet<string>
  /** Lower-case fields that the gateway sets; they replace what the client sent under the same name. */
  readonly own: Readonly<Record<string, string>>
}

/**
 * Builds the fields of the upstream request, from those of the client and those that the gateway adds.
 *
 * Client fields are removed first and the gateway's own are added afterwards, so that no `Connection` value can take
 * an identity field away again.
 */
export const requestHeaders = (
  received: Readonly<Record<string, string>>,
  options: RequestHeaderOptions
): Record<string, string> => {
  const isHopByHop = hopByHop(received["connection"])
  const own = Object.keys(options.own)
  const isOwn = (folded: string): boolean => own.some((name) => fieldName(name).folded === folded)
  const headers: Record<string, string> = {}
  for (const name of Object.keys(received)) {
    const value = received[name]
    if (value === undefined || ownedByHop.has(name) || isHopByHop(name)) continue
    const { claimsIdentity, describesRoute, folded } = fieldName(name)
    if (name === "authorization" && options.forwardAuthorization) headers[name] = value
    else if (claimsIdentity || (describesRoute && !options.trustedPeer) || isOwn(folded)) continue
    else if (options.ownedFields.has(folded)) continue
    else if (looksMirrored(name, folded)) continue
    else if (options.bindsSession && folded === sessionField) continue
    else headers[name] = value
  }
  return Object.assign(headers, options.own)
}
