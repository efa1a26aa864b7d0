/** Rules of the step `protocol`. Pure. */
import { clients, type Rule, sdks } from "../Finding.ts"

export const rules = {
  "initialize-failed": {
    level: "error",
    title: "initialize fails",
    why: "It is the first message of every client.",
    clients,
    specification: "MCP Lifecycle, Initialization: the server MUST respond with its own capabilities and information.",
    fix: "Read the log of the MCP server."
  },
  "response-media-type": {
    level: "error",
    title: "Responses have the wrong Content-Type",
    why: "Clients decide by Content-Type how to read a response, and fail with any other.",
    clients,
    specification: "MCP Transports, Sending Messages: the server MUST return text/event-stream or application/json.",
    fix: "Send application/json with JSON and text/event-stream with events, and check that no proxy changes it."
  },
  "revision-unknown": {
    level: "error",
    title: "The negotiated revision is unknown",
    why: "Clients disconnect from a server whose revision they do not know.",
    clients,
    specification: "MCP Lifecycle, Version Negotiation: the server MUST respond with a version that it supports.",
    fix: "Update the SDK of the server."
  },
  "session-characters": {
    level: "error",
    title: "The session id has characters that fields cannot carry",
    why: "Clients cannot send it back.",
    clients,
    specification: "MCP Transports, Session Management: the session id MUST only contain visible ASCII characters.",
    fix: "Use a UUID or a random text in base64url."
  },
  "notification-status": {
    level: "warning",
    title: "Notifications do not get 202",
    why: "Clients report an error after a successful start.",
    clients: sdks,
    specification:
      "MCP Transports, Sending Messages: for a notification, the server MUST return 202 Accepted with no body.",
    fix: "Respond with 202 and an empty body."
  },
  "session-lost": {
    level: "error",
    title: "The session does not survive the next request",
    why: "The next request reached another instance, or the id was lost on its way, so nothing works after initialize.",
    clients,
    specification:
      "MCP Transports, Session Management: clients MUST include the session id in all subsequent requests.",
    fix:
      "Route requests by Mcp-Session-Id (sticky sessions), share sessions between instances, or run the server stateless. Let proxies " +
      "pass the field."
  },
  "list-failed": {
    level: "error",
    title: "A list that the server announces fails",
    why: "Clients load it when they connect, and show an error or no tools.",
    clients,
    specification: "MCP Tools, Prompts, Resources: servers that declare the capability respond to …/list.",
    fix: "Read the log of the MCP server, and check the rules of proxies in front of it."
  },
  "session-unknown-status": {
    level: "warning",
    title: "An unknown session does not get 404",
    why: "Clients begin a new session after 404 only. After a restart of the server, users must reconnect by hand.",
    clients: ["Claude", "VS Code", "Cursor", "SDKs"],
    specification:
      "MCP Transports, Session Management: the server MUST respond to a terminated session id with 404 Not Found.",
    fix: "Respond with 404 to session ids that do not exist."
  },
  "revision-field": {
    level: "note",
    title: "An invalid MCP-Protocol-Version is accepted",
    why: "The server may interpret messages differently from what the client means.",
    clients: [],
    specification:
      "MCP Transports, Protocol Version Header: for an invalid or unsupported version the server MUST respond with 400.",
    fix: "Update the SDK of the server."
  },
  "modern-failed": {
    level: "error",
    title: "server/discover fails with a server error",
    why: "Clients that begin with it take 5xx for an outage, and do not try initialize.",
    clients: sdks,
    specification: "MCP Versioning: clients fall back to initialize after 400, not after 5xx.",
    fix: "Respond with 400 to messages that the server does not know, or update its SDK."
  },
  "modern-malformed": {
    level: "error",
    title: "The response to server/discover is incomplete",
    why: "Clients take the server for one of revision 2026-07-28 and fail afterwards.",
    clients: sdks,
    specification: "MCP Versioning: the result of server/discover lists the supported versions and capabilities.",
    fix: "Update the SDK of the server, or respond with 400 to server/discover."
  },
  "modern-mismatch": {
    level: "warning",
    title: "Fields and body may contradict each other",
    why: "Proxies decide by Mcp-Method and Mcp-Name, the server by the body: rules of proxies can be bypassed.",
    clients: [],
    specification:
      "MCP Transports (2026-07-28): a server that processes the body MUST reject a mismatch with 400 and -32020.",
    fix: "Update the SDK of the server, or put the gateway in front of it, which checks this."
  },
  "modern-unknown-method": {
    level: "note",
    title: "An unknown method does not get 404",
    why: "Clients and proxies decide by the status.",
    clients: [],
    specification: "MCP Transports (2026-07-28): an unknown method gets 404 with the error -32601.",
    fix: "Update the SDK of the server."
  }
} satisfies Readonly<Record<string, Rule>>
