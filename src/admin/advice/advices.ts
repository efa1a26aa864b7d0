/** All reasons for which requests are rejected or fail, for operators: what each means, and how to fix it. */
import type { GatewayError } from "../../errors/GatewayError.ts"
import type { Advice } from "./Advice.ts"
import { headerMismatch, invalidRequest } from "./invalidRequest.ts"
import { invalidToken } from "./invalidToken.ts"

type Several = "InvalidToken" | "InvalidRequest" | "HeaderMismatch" | "AccessDenied"

const ofAccess: Readonly<Record<"Origin" | "Policy" | "Claims", Advice>> = {
  Origin: {
    title: "Browser origin not allowed",
    meaning: "A script of another web page sent the request.",
    fix: "If it is a page of yours, add its origin to MCP_ALLOWED_ORIGINS."
  },
  Claims: {
    title: "Claims do not fit",
    meaning: "The token is good, but its claims are not what this program declares.",
    fix: "Have the provider add the claims that the detail of the log entry names."
  },
  Policy: {
    title: "Caller not let in",
    meaning: "The token is good, but a list or a policy does not let this caller in.",
    fix: "Add the caller to MCP_ALLOWED_EMAILS, MCP_ALLOWED_EMAIL_DOMAINS or MCP_ALLOWED_SUBJECTS if that is wrong."
  }
}

const others: Readonly<Record<Exclude<GatewayError["_tag"], Several>, Advice>> = {
  OAuthRejected: {
    title: "Sign-in through the gateway failed",
    meaning:
      "A client or its user sent the facade what it does not accept. Codes and pages that are too old are usual.",
    fix: "Read the detail of the log entry: it names the parameter, or what the provider said."
  },
  MissingCredential: {
    title: "No token yet",
    meaning: "The request has no token. Every client begins like this: the 401 tells it where to sign in.",
    fix: "Nothing to fix, unless a client never comes back with a token: then run doctor against this gateway's URL.",
    isUsual: true
  },
  TokenRequired: {
    title: "Token needed for this",
    meaning: "Some of what this server offers needs no token, but what this request asks for does.",
    fix: "Nothing to fix, unless the rules should allow it without a token.",
    isUsual: true
  },
  UnsupportedCredential: {
    title: "Not a Bearer token",
    meaning: "The Authorization field has another scheme than Bearer, or no token after it.",
    fix: "Have the client send “Authorization: Bearer” and the access token. API keys and Basic are not accepted."
  },
  CredentialTooLarge: {
    title: "Token too long",
    meaning: "The token is longer than MCP_MAX_TOKEN_BYTES.",
    fix: "Make the provider put fewer groups or roles into tokens, or raise MCP_MAX_TOKEN_BYTES."
  },
  InsufficientScope: {
    title: "Scopes are missing",
    meaning: "The token is good, but lacks a scope that is required. Clients may ask for it and come back.",
    fix: "Grant the scope to the client or user at the provider, or change MCP_REQUIRED_SCOPES or the rules."
  },
  DeniedByRule: {
    title: "Denied by a rule",
    meaning: "A rule denies this caller what the request asks for.",
    fix: "Intended, unless the rule is wrong: its number is in the decision."
  },
  NotFound: {
    title: "No such path",
    meaning: "The gateway serves nothing at this path.",
    fix: "Compare the URL in the client with MCP_PATH. Scanners cause these as well."
  },
  SessionNotFound: {
    title: "Session of another caller",
    meaning: "The session does not belong to this caller, or was sealed with another key.",
    fix:
      "Set the same MCP_SESSION_KEY for all replicas and keep it over restarts. Clients begin a new session by themselves."
  },
  MethodNotAllowed: {
    title: "HTTP method",
    meaning: "The path exists, but not for this HTTP method.",
    fix: "Usually a browser or a probe that opens the endpoint of MCP. Probes should use /healthz."
  },
  DiscoveryNotSupported: {
    title: "No discovery",
    meaning: "A client looks for an authorization server, but the configured providers have none.",
    fix: "Give such clients a token by other means, or configure a provider with an issuer."
  },
  PayloadTooLarge: {
    title: "Message too long",
    meaning: "The body is longer than MCP_MAX_BODY_BYTES.",
    fix: "Raise MCP_MAX_BODY_BYTES if tools take such arguments."
  },
  UnsupportedMediaType: {
    title: "Content type",
    meaning: "The content type or encoding of the request is not that of JSON-RPC.",
    fix: "Have the client send “Content-Type: application/json”, without compression."
  },
  MissingProtocolVersion: {
    title: "Revision not named",
    meaning: "The message does not name its revision of MCP, which it has to.",
    fix: "Update the client's SDK."
  },
  ProviderUnavailable: {
    title: "Provider not available",
    meaning: "The provider could not be asked, so the token was neither accepted nor rejected. Clients try again.",
    fix: "See the provider's last error above: name resolution, firewall, proxy, certificate, or an outage of its own."
  },
  UpstreamUnavailable: {
    title: "MCP server not available",
    meaning: "The MCP server could not be reached, broke off, or sent what must not be passed on.",
    fix: "See the server's last error above. Check that it runs, and that MCP_SERVER_URL is right as seen from here."
  },
  UpstreamTimeout: {
    title: "MCP server too slow",
    meaning: "The MCP server did not begin its response within MCP_UPSTREAM_TIMEOUT.",
    fix: "Find out why it is slow, or raise MCP_UPSTREAM_TIMEOUT for tools that take that long."
  },
  InteractionRequired: {
    title: "User has to act at the provider",
    meaning: "The provider issues no token for the MCP server before its user has consented, or signed in again.",
    fix: "Consent for all users at the provider, or let the user sign in again; the detail has the provider's code."
  },
  UpstreamScopeRequired: {
    title: "MCP server wants more scopes",
    meaning: "The MCP server itself rejected the call, because the token lacks scopes.",
    fix: "Grant the scopes at the provider, or list them in MCP_SCOPES_SUPPORTED so that clients ask for them."
  },
  Overloaded: {
    title: "Out of room",
    meaning: "As many long messages are held in memory as MCP_MAX_BUFFERED_BYTES permits.",
    fix: "Raise it, or add workers. One caller alone gets half of it."
  },
  RateLimited: {
    title: "Rate limit",
    meaning: "A caller, client or address has sent more than MCP_RATE_LIMITS lets it.",
    fix: "Intended, unless the limit is too low: the detail names its entry."
  },
  StoreUnavailable: {
    title: "Store not available",
    meaning: "The store that counts requests could not be asked, and MCP_STORE_FAILURE is closed.",
    fix:
      "Check MCP_STORE_URL and that Redis runs. With MCP_STORE_FAILURE=local this process counts for itself until then."
  }
}

const named = (kind: string, table: Readonly<Record<string, Advice>>): ReadonlyArray<[string, Advice]> =>
  Object.entries(table).map(([reason, advice]) => [`${kind}.${reason}`, advice])

export const advices: ReadonlyMap<string, Advice> = new Map([
  ...named("InvalidToken", invalidToken),
  ...named("InvalidRequest", invalidRequest),
  ...named("HeaderMismatch", headerMismatch),
  ...named("AccessDenied", ofAccess),
  ...Object.entries(others)
])
