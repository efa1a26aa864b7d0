/** Settings of the MCP server: its URL, what it gets, and how long it may take. */
import { forwardClaims } from "../kinds/forwardClaims.ts"
import { autoOrBoolean, boolean } from "../kinds/kinds.ts"
import { sessionKeys } from "../kinds/sessionKeys.ts"
import { seconds } from "../kinds/times.ts"
import { gatewayUrl } from "../kinds/urls.ts"
import { none, type Setting } from "./Setting.ts"

/** The URL that the manifest of the FTL auth gateway uses for the MCP server. Only Spin can resolve the name. */
const spinServerUrl = "http://ftl-mcp-gateway.spin.internal/mcp-internal"

export const server = {
  MCP_SERVER_URL: {
    kind: gatewayUrl,
    property: "gatewayUrl",
    absent: () => spinServerUrl,
    formerly: "MCP_GATEWAY_URL",
    aliases: ["AUTH_GATEWAY_URL", "MCP_UPSTREAM_URL"],
    otherwise: "must be set; on Spin `http://ftl-mcp-gateway.spin.internal/mcp-internal`",
    doc: "The URL of the MCP server; the rest of a path after the MCP path is appended. " +
      "`http+unix://%2Frun%2Fmcp.sock/mcp` is `/mcp` behind the Unix socket `/run/mcp.sock`.",
    perServer: "url"
  },
  MCP_FORWARD_AUTHORIZATION: {
    kind: boolean,
    default: "false",
    doc: "Forward the client's token to the MCP server, which MCP forbids.",
    perServer: true
  },
  MCP_IDENTITY_HEADERS: {
    kind: boolean,
    default: "true",
    doc: "Add `x-auth-*` fields to upstream requests.",
    perServer: true
  },
  MCP_FORWARD_CLAIMS: {
    kind: forwardClaims,
    absent: none,
    otherwise: "none",
    doc:
      "Claims that the MCP server gets in separate fields: `{\"groups\": \"x-auth-groups\", \"tid\": \"x-auth-tenant\"}`. " +
      "Clients cannot send these fields.",
    perServer: true
  },
  MCP_INJECT_REQUEST_CONTEXT: {
    kind: autoOrBoolean,
    default: "auto",
    doc: "Add `params._authContext` to `initialize` requests; `auto`: unless the MCP server rejects it.",
    perServer: true
  },
  MCP_INJECT_RESPONSE_CONTEXT: {
    kind: autoOrBoolean,
    default: "auto",
    doc:
      "Add `result.serverInfo.authInfo` to responses to `initialize`; `auto`: unless the MCP server rejects additions, or the " +
      "client speaks MCP 2024-11-05.",
    perServer: true
  },
  MCP_UPSTREAM_TIMEOUT: {
    kind: seconds(1, 86_400),
    property: "upstreamTimeoutMillis",
    default: "300",
    doc: "How long the MCP server may take to begin its response, in seconds.",
    perServer: true
  },
  MCP_RESPONSE_TIMEOUT: {
    kind: seconds(1, 604_800),
    property: "responseTimeoutMillis",
    default: "3600",
    doc: "How long a response may take in total, in seconds, if its token expires before it ends; after that it is " +
      "aborted.",
    perServer: true
  },
  MCP_UPSTREAM_IDLE_TIMEOUT: {
    kind: seconds(0, 3600),
    property: "upstreamIdleMillis",
    default: "1",
    doc: "How long an idle connection to the MCP server is kept, in seconds, if the server sends no `Keep-Alive`; " +
      "choose less than the server's own timeout. `0`: a new connection for each request.",
    perServer: true
  },
  MCP_BIND_SESSIONS: {
    kind: boolean,
    default: "true",
    doc: "Bind `Mcp-Session-Id` to its caller: for anyone else the session does not exist (404).",
    perServer: true
  },
  MCP_SESSION_KEY: {
    kind: sessionKeys,
    property: "sessionKeys",
    absent: none,
    secret: true,
    otherwise: "made at start; on Spin sessions are then not bound",
    doc: "The secret that binds sessions, the same for all replicas: at least 32 characters."
  }
} as const satisfies Record<string, Setting>
