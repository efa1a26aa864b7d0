/** The decisions that audit entries report. Pure. */
import * as Match from "effect/Match"
import type { GatewayError } from "../errors/GatewayError.ts"
import type { Decision } from "../rules/Decision.ts"
import type { AuditDecision } from "./AuditEntry.ts"

/** The decision behind an error. An error of the MCP server is not a decision of the gateway. */
const ofError = Match.typeTags<GatewayError, AuditDecision>()({
  MissingCredential: () => "unauthenticated",
  TokenRequired: () => "unauthenticated",
  UnsupportedCredential: () => "unauthenticated",
  InvalidToken: () => "unauthenticated",
  CredentialTooLarge: () => "unauthenticated",
  InsufficientScope: () => "missing_scopes",
  InteractionRequired: () => "missing_scopes",
  AccessDenied: () => "denied",
  DeniedByRule: () => "denied",
  InvalidRequest: () => "rejected",
  HeaderMismatch: () => "rejected",
  MissingProtocolVersion: () => "rejected",
  NotFound: () => "rejected",
  SessionNotFound: () => "rejected",
  MethodNotAllowed: () => "rejected",
  DiscoveryNotSupported: () => "rejected",
  PayloadTooLarge: () => "rejected",
  UnsupportedMediaType: () => "rejected",
  ProviderUnavailable: () => "rejected",
  OAuthRejected: () => "rejected",
  Overloaded: () => "rejected",
  RateLimited: () => "rate_limited",
  StoreUnavailable: () => "rejected",
  UpstreamUnavailable: () => "allowed",
  UpstreamTimeout: () => "allowed",
  UpstreamScopeRequired: () => "allowed"
})

/**
 * Returns the decision about a request as a whole.
 *
 * @param wasSent whether the request was sent to the MCP server
 */
export const requestDecision = (error: GatewayError | undefined, wasSent: boolean): AuditDecision => {
  if (error !== undefined) return ofError(error)
  // The client disconnected, or a defect occurred, before there was a decision.
  return wasSent ? "allowed" : "rejected"
}

const ofDecision: Readonly<Record<Exclude<Decision["_tag"], "Allow">, AuditDecision>> = {
  Unauthenticated: "unauthenticated",
  MissingScopes: "missing_scopes",
  Denied: "denied"
}

const ofOthers: ReadonlySet<AuditDecision> = new Set(Object.values(ofDecision))

/**
 * Returns the decision about one message, given that of its rule and that of the whole request.
 *
 * A message that its rule allows counts as rejected if another message of its batch is not allowed, because then none
 * of them is sent.
 */
export const messageDecision = (decision: Decision, whole: AuditDecision): AuditDecision => {
  if (decision._tag !== "Allow") return ofDecision[decision._tag]
  return ofOthers.has(whole) ? "rejected" : whole
}
