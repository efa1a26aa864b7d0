/** Every reason for which a request is rejected or fails, in words for operators: what it means, and how to fix it. */
import type { GatewayError, InvalidRequestReason, InvalidTokenReason, MirroredField } from "../errors/GatewayError.ts"

/** The meaning of a reason, and what to do. */
export interface Advice {
  /** A few words, as a heading. */
  readonly title: string
  readonly meaning: string
  readonly fix: string
  /** It happens to every client in the ordinary course, and is not a sign of trouble. */
  readonly isUsual?: true
}

type Several = "InvalidToken" | "InvalidRequest" | "HeaderMismatch" | "AccessDenied"

const ofToken: Readonly<Record<InvalidTokenReason, Advice>> = {
  MalformedToken: {
    title: "Malformed token",
    meaning: "What came after `Bearer` is neither a complete JWT nor a token that any provider here could know.",
    fix: "Look for a client that cuts the token off, puts quotes around it, or sends an id instead of the token itself."
  },
  UnsupportedAlgorithm: {
    title: "Algorithm not allowed",
    meaning: "The token is signed with an algorithm that its provider may not use here, such as HS256 or none.",
    fix:
      "Let the provider sign with RS256, ES256 or EdDSA, or list its algorithm in MCP_JWT_ALGORITHM (algorithms in the file)."
  },
  UnknownKey: {
    title: "Unknown key",
    meaning:
      "The key that the token names is not among those that the provider publishes, even after it was asked again.",
    fix:
      "Usually the token is of another tenant or environment: compare its iss and kid with the keys listed under Providers. After a rotation, check that the provider publishes the new key."
  },
  InvalidSignature: {
    title: "Wrong signature",
    meaning:
      "The key is known, but the signature does not fit: the token was changed, cut off, or made by someone else.",
    fix:
      "Have the client send the token exactly as the provider issued it. If many clients are concerned, check whether two environments publish different keys under one kid."
  },
  Expired: {
    title: "Expired token",
    meaning: "The token was good once, and its time is over. Clients get a new one when they see the 401.",
    fix:
      "A few of these are usual. If one client sends nothing else, it does not refresh its token; if all do, check the clock of this machine, or raise MCP_CLOCK_SKEW by some seconds."
  },
  NotYetValid: {
    title: "Token from the future",
    meaning: "The token's nbf or iat lies ahead of this machine's clock.",
    fix: "Synchronize the clocks (NTP) of this machine and of the provider. MCP_CLOCK_SKEW bridges some seconds."
  },
  InvalidIssuer: {
    title: "Wrong issuer",
    meaning: "The token's iss is not that of a configured provider, character for character.",
    fix:
      "Compare the iss in the log with MCP_JWT_ISSUER: a slash at the end, http instead of https, or another tenant make the difference."
  },
  InvalidAudience: {
    title: "Wrong audience",
    meaning: "The token is genuine, but was issued for another service, so it must not be accepted here.",
    fix:
      "Let the client ask for a token for this server (the resource parameter of OAuth), or set MCP_JWT_AUDIENCE to what the provider writes into aud."
  },
  MissingClaim: {
    title: "A claim is missing",
    meaning:
      "The token lacks a claim that is needed, such as sub or exp, or it is an ID token instead of an access token.",
    fix: "Let the client send the access token. For unusual names of claims, set the provider's claim fields."
  },
  Inactive: {
    title: "Inactive token",
    meaning:
      "The provider says that the token is no longer active: it was revoked, has expired, or belongs to someone else.",
    fix:
      "The client has to sign in again. If all tokens are inactive, check the gateway's own client credentials for introspection."
  },
  UnknownToken: {
    title: "Unknown token",
    meaning: "No configured provider is responsible for a token of this form.",
    fix:
      "Configure the provider that issued it, or check that the client uses the authorization server that this gateway announces."
  },
  ValidationFailed: {
    title: "Token not accepted",
    meaning: "The token fails a rule that has no reason of its own; the detail says which.",
    fix:
      "Read the detail, or paste such a token into the form below: it shows each rule with what was found and expected."
  }
}

const ofRequest: Readonly<Record<InvalidRequestReason, Advice>> = {
  RepeatedCredential: {
    title: "Several credentials",
    meaning: "The request has more than one Authorization field or token.",
    fix: "Find the client or proxy that adds a second one."
  },
  CredentialInQuery: {
    title: "Token in the URL",
    meaning: "The token is in the query, where logs and histories would keep it.",
    fix: "Have the client send it in the Authorization field. Treat the token as disclosed."
  },
  MalformedHost: {
    title: "Wrong Host",
    meaning: "The Host field is missing or malformed, so it is not known by which URL the client knows the gateway.",
    fix: "Check the proxy in front of the gateway, and set MCP_PUBLIC_URL."
  },
  MalformedTarget: {
    title: "Malformed URL",
    meaning: "The request target is not a URL that clients of MCP would send.",
    fix: "Usually a scanner. Otherwise look for a proxy that rewrites URLs."
  },
  UnsupportedVersion: {
    title: "HTTP version",
    meaning: "The request is not HTTP/1.1.",
    fix: "Let the proxy in front of the gateway use HTTP/1.1."
  },
  MalformedHeader: {
    title: "Malformed header field",
    meaning: "A header field is malformed, or is repeated although it may appear only once.",
    fix: "The log entry names the field. Find the client or proxy that writes it."
  },
  MalformedMessage: {
    title: "Not a JSON-RPC message",
    meaning: "The body of the request is not JSON-RPC.",
    fix: "Check that the client speaks MCP over Streamable HTTP, and that no proxy changes the body."
  },
  AmbiguousMessage: {
    title: "Ambiguous message",
    meaning: "The message has a member twice, so that two programs could read it differently.",
    fix: "Have the client's author fix it: no JSON library writes such messages by itself."
  },
  MessageTooDeep: {
    title: "Message nested too deeply",
    meaning: "The message has more levels than any real one.",
    fix: "Usually an attack. Otherwise the arguments of a tool have to become flatter."
  }
}

const mirrored = (field: MirroredField): Advice => ({
  title: `${field} does not agree`,
  meaning:
    `The field ${field} is missing or says something else than the message, which newer revisions of MCP forbid.`,
  fix: "Update the client's SDK, and check that no proxy changes or drops the field."
})

const ofField: Readonly<Record<MirroredField, Advice>> = {
  "MCP-Protocol-Version": mirrored("MCP-Protocol-Version"),
  "Mcp-Method": mirrored("Mcp-Method"),
  "Mcp-Name": mirrored("Mcp-Name"),
  "Mcp-Param": mirrored("Mcp-Param")
}

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

/** All advice, by key. */
export const advices: ReadonlyMap<string, Advice> = new Map([
  ...named("InvalidToken", ofToken),
  ...named("InvalidRequest", ofRequest),
  ...named("HeaderMismatch", ofField),
  ...named("AccessDenied", ofAccess),
  ...Object.entries(others)
])
