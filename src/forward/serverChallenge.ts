/** What a challenge of the MCP server means for the client. Pure. */
import { UpstreamScopeRequired, UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { UpstreamResponse } from "./GatewayClient.ts"
import { parseChallenges, type ReceivedChallenge } from "./parseChallenges.ts"

// RFC 6749, section 3.3.
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/

// Clients search the whole field for these with regular expressions.
const misleading = /(?:error|error_description|scope|resource_metadata)\s*=/i

const maxScopes = 64

/** The scopes that a challenge requires, except those that cannot be written in the gateway's own challenge. */
const scopesOf = ({ parameters }: ReceivedChallenge): ReadonlyArray<string> =>
  (parameters.get("scope") ?? "").split(/\s+/).filter((scope) => scopeToken.test(scope) && !misleading.test(scope))

const asksForScope = ({ parameters, scheme }: ReceivedChallenge): boolean =>
  scheme === "bearer" && parameters.get("error")?.toLowerCase() === "insufficient_scope"

/** Describes a challenge for the log: its scheme and, if it has one, its error. */
const inWords = ({ parameters, scheme }: ReceivedChallenge): string => {
  const error = parameters.get("error") ?? ""
  return /^[a-z_]{1,64}$/.test(error) ? `${scheme} ${error}` : scheme
}

const untrusted = (
  status: number,
  challenges: ReadonlyArray<ReceivedChallenge> | undefined
): UpstreamUnavailable => {
  const asked = challenges === undefined
    ? "a challenge that cannot be read"
    : challenges.length === 0
    ? "no challenge"
    : challenges.slice(0, 4).map(inWords).join(", ").slice(0, 128)
  return new UpstreamUnavailable({
    detail:
      `the MCP server asks the gateway for credentials (${status}, ${asked}). Switch its own authentication off ` +
      "and keep it reachable through the gateway only, or set MCP_FORWARD_AUTHORIZATION=true"
  })
}

/**
 * Classifies a 401, or a 403 with a challenge, of the MCP server.
 *
 * A Bearer challenge with `insufficient_scope` means that the caller needs more scopes, and becomes
 * `UpstreamScopeRequired`. Every other challenge means that the server does not trust the gateway, and becomes
 * `UpstreamUnavailable`: a client that got such a challenge would request a token from another authorization server. A
 * 403 without a challenge is forwarded.
 *
 * @param standing scopes that every request of this caller needs, so that the next token has them as well; `undefined`
 * if there is no caller who could get a token with more scopes
 * @see RFC 6750, section 3.1; MCP 2025-11-25, authorization, Scope Challenge Handling
 */
export const classifyChallenge = (
  { headers, status }: Pick<UpstreamResponse, "headers" | "status">,
  standing: (() => ReadonlyArray<string>) | undefined
): UpstreamScopeRequired | UpstreamUnavailable | undefined => {
  const field = headers["www-authenticate"]
  if (status !== 401 && (status !== 403 || field === undefined)) return undefined
  const challenges = parseChallenges(field ?? [])
  const asking = challenges?.filter(asksForScope) ?? []
  if (asking.length === 0 || standing === undefined) return untrusted(status, challenges)
  const asked = asking.flatMap(scopesOf).slice(0, maxScopes)
  return new UpstreamScopeRequired({
    required: asked.length === 0 ? [] : [...new Set([...asked, ...standing()])],
    detail: `the MCP server responds with ${status} insufficient_scope`
  })
}
