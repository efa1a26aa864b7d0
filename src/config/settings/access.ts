/** Who may call, and whose word is taken. */
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
    doc: "`false` lets every request pass, without an identity.",
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
    doc:
      "The request field in which tokens come. Another one than `Authorization`, which MCP clients send, is for gateways behind " +
      "a proxy that signs callers in itself: `Cf-Access-Jwt-Assertion`, with the token alone in it. `Authorization` is then ignored."
  },
  MCP_ALLOWED_EMAILS: {
    kind: emails,
    absent: none,
    otherwise: "no list",
    doc:
      "Callers that are let in, by verified e-mail address. A caller must be on one of the lists, where there are any: " +
      "this, `MCP_ALLOWED_EMAIL_DOMAINS` and `MCP_ALLOWED_SUBJECTS`; others get 403.",
    perServer: true
  },
  MCP_ALLOWED_EMAIL_DOMAINS: {
    kind: emailDomains,
    absent: none,
    otherwise: "no list",
    doc: "Domains whose callers are let in, by verified e-mail address: `example.com`, `*.example.com`.",
    perServer: true
  },
  MCP_ALLOWED_SUBJECTS: {
    kind: subjects,
    absent: none,
    otherwise: "no list",
    doc: "Callers that are let in, by `sub`, character for character.",
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
    doc: "Networks whose `X-Forwarded-*` fields are believed."
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
    doc:
      "What `/forward-auth` does where rules need what only the body of a request says, which proxies do not send: `deny`, or " +
      "`allow` every caller with a good token. Only a revision of MCP from 2026-07-28 on names methods and tools in fields."
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
    doc: "Hosts inside a private network that may be spoken to over http: providers, and that of `MCP_PUBLIC_URL`."
  },
  MCP_CLOCK_SKEW: {
    kind: plainSeconds(0, 300),
    property: "clockSkewSeconds",
    default: "60",
    doc: "Tolerance for times in tokens, in seconds."
  }
} as const satisfies Record<string, Setting>
