/** Settings about who may call, and which proxies and hosts are trusted. */
import { unreadMessages } from "../GatewaySettings.ts"
import { emailDomains, emails, subjects } from "../kinds/allowLists.ts"
import { hosts } from "../kinds/domains.ts"
import { tokenField } from "../kinds/http.ts"
import { boolean, choice, scopes, text } from "../kinds/kinds.ts"
import { allowedOrigins, isLoopbackAddress, trustedProxies } from "../kinds/network.ts"
import { plainSeconds } from "../kinds/times.ts"
import { none, type Setting } from "./Setting.ts"

export const access = {
  MCP_AUTH_ENABLED: {
    kind: boolean,
    aliases: ["AUTH_ENABLED"],
    default: "true",
    doc: "`false` forwards every request, without an identity.",
    perServer: true
  },
  MCP_REQUIRED_SCOPES: {
    kind: scopes,
    absent: none,
    aliases: ["MCP_JWT_REQUIRED_SCOPES"],
    otherwise: "none",
    doc: "Scopes that every token must have.",
    perServer: true
  },
  MCP_SCOPES_SUPPORTED: {
    kind: scopes,
    absent: ({ everyRequiredScope }) => everyRequiredScope,
    otherwise: "the required scopes, and those of the rules",
    doc: "Scopes that the protected resource metadata lists.",
    perServer: true
  },
  MCP_TOKEN_HEADER: {
    kind: tokenField,
    default: "authorization",
    doc: "The request field with the token. MCP clients send `Authorization`. Another field, such as " +
      "`Cf-Access-Jwt-Assertion`, is for gateways behind a proxy that signs callers in itself; it contains nothing " +
      "but the token, and `Authorization` is then ignored."
  },
  MCP_ALLOWED_EMAILS: {
    kind: emails,
    absent: none,
    otherwise: "no list",
    doc: "Callers that are allowed, by verified e-mail address. If any of `MCP_ALLOWED_EMAILS`, " +
      "`MCP_ALLOWED_EMAIL_DOMAINS` and `MCP_ALLOWED_SUBJECTS` is set, a caller must be on one of these lists; " +
      "others get 403.",
    perServer: true
  },
  MCP_ALLOWED_EMAIL_DOMAINS: {
    kind: emailDomains,
    absent: none,
    otherwise: "no list",
    doc: "Domains whose callers are allowed, by verified e-mail address: `example.com`, `*.example.com`.",
    perServer: true
  },
  MCP_ALLOWED_SUBJECTS: {
    kind: subjects,
    absent: none,
    otherwise: "no list",
    doc: "Callers that are allowed, by `sub`, character for character.",
    perServer: true
  },
  MCP_ALLOWED_ORIGINS: {
    kind: allowedOrigins,
    absent: ({ host }) => isLoopbackAddress(host) ? { _tag: "Loopback" } : { _tag: "Any" },
    otherwise: "loopback origins if `HOST` is loopback, else `*`",
    doc: "Browser origins that may call; a request from another origin gets 403.",
    perServer: true
  },
  MCP_TRUSTED_PROXIES: {
    kind: trustedProxies,
    default: "none",
    doc: "Networks whose `X-Forwarded-*` fields are trusted."
  },
  MCP_FORWARD_AUTH: {
    kind: boolean,
    default: "false",
    doc:
      "`true` makes `/forward-auth` a decision point for a proxy that forwards requests itself: nginx `auth_request`, Caddy and " +
      "Traefik forward auth, Envoy `ext_authz`."
  },
  MCP_FORWARD_AUTH_UNREAD: {
    kind: choice(unreadMessages),
    default: "deny",
    doc: "What `/forward-auth` responds if rules need the body of a request, which proxies do not send: `deny`, or " +
      "`allow` every caller with a valid token. MCP names methods and tools in fields since revision 2026-07-28."
  },
  MCP_CA_FILE: {
    kind: text,
    otherwise: "the system's authorities alone",
    doc:
      "A PEM file with certificate authorities to trust in addition to the system's, for providers and for the MCP server."
  },
  MCP_ALLOW_HTTP: {
    kind: hosts,
    absent: none,
    otherwise: "none",
    doc: "Hosts in a private network that may be reached over plain http: providers, and the host of `MCP_PUBLIC_URL`."
  },
  MCP_CLOCK_SKEW: {
    kind: plainSeconds(0, 300),
    property: "clockSkewSeconds",
    default: "60",
    doc: "Tolerance for times in tokens, in seconds."
  }
} as const satisfies Record<string, Setting>
