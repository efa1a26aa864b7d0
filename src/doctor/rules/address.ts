/** Rules of the step `address`. Pure. */
import { clients, hosted, type Rule } from "../Finding.ts"

export const rules = {
  "url-credentials": {
    level: "error",
    title: "The URL contains a user name or a password",
    why: "HTTP clients do not send requests to such a URL.",
    clients,
    specification: "Fetch standard, Request constructor: a URL with credentials is a TypeError.",
    fix: "Remove everything before the @ of the URL. Clients authenticate with a bearer token."
  },
  "url-secret": {
    level: "warning",
    title: "The URL carries a secret in its query",
    why: "URLs end up in logs, histories and Referer fields. Claude and ChatGPT do not permit tokens in the URL.",
    clients: hosted,
    specification: "MCP Authorization, Access Token Usage: access tokens MUST NOT be included in the URI query string.",
    fix: "Accept the token in the Authorization field, and remove the parameter from the URL."
  },
  "url-http": {
    level: "error",
    title: "The URL uses http",
    why: "The token can be read on its way, and hosted clients accept https only.",
    clients: hosted,
    specification: "RFC 9728, section 1.2: the resource identifier is a URL that uses the https scheme.",
    fix: "Put a proxy with TLS in front of the server and give clients its https URL."
  },
  "url-fragment": {
    level: "warning",
    title: "The URL has a fragment",
    why: "A fragment is not sent, and no resource identifier has one, so the metadata cannot be for this URL.",
    clients,
    specification: "RFC 8707, section 2: the resource MUST NOT include a fragment component.",
    fix: "Remove the # and what follows it."
  },
  "address-private": {
    level: "note",
    title: "The address is not reachable from the internet",
    why: "Claude and ChatGPT connect from their own data centers, not from the user's machine.",
    clients: hosted,
    specification:
      "Claude's documentation of custom connectors: the server must be reachable over the public internet.",
    fix: "Give these clients a public https address. Local clients can use this one."
  },
  "unreachable": {
    level: "error",
    title: "No connection to the server",
    why: "No client can reach it from here.",
    clients,
    specification: "MCP Transports, Streamable HTTP: the server MUST provide a single HTTP endpoint path.",
    fix: "Start the server, or correct the host and port of the URL."
  },
  "tls-certificate": {
    level: "error",
    title: "The TLS certificate is not accepted",
    why: "Clients verify certificates and end the connection.",
    clients,
    specification:
      "RFC 9110, section 4.3.4: the client MUST verify that the service's identity matches the certificate.",
    fix: "Install a certificate for this host with all intermediate certificates."
  },
  "tls-expires": {
    level: "warning",
    title: "The TLS certificate expires soon",
    why:
      "Certificates are renewed about a month before they expire. If that does not happen, all clients fail at once.",
    clients,
    specification: "RFC 5280, section 4.1.2.5: a certificate is not valid after notAfter.",
    fix: "Renew the certificate, and check why it was not renewed automatically."
  },
  "no-response": {
    level: "error",
    title: "The server does not respond in time",
    why: "Clients give up. The connection succeeds, and the response does not come.",
    clients,
    specification: "MCP Lifecycle, Timeouts: implementations SHOULD establish timeouts for all sent requests.",
    fix: "Check whether a firewall discards packets, and whether the proxy reaches the server behind it."
  },
  "slow": {
    level: "warning",
    title: "The server is slow",
    why: "Clients and their proxies end requests that take long, and each sign-in needs about ten requests in a row.",
    clients: hosted,
    specification: "MCP Lifecycle, Timeouts: the sender SHOULD stop waiting for a response after its timeout.",
    fix: "Check for a cold start, slow name resolution, or a proxy that tries an unreachable address first."
  },
  "redirect-method": {
    level: "error",
    title: "POST requests are redirected with a status that changes the method",
    why: "After 301, 302 and 303 clients repeat the request as GET, without the message.",
    clients,
    specification:
      "RFC 9110, sections 15.4.2 and 15.4.3: a user agent MAY change POST to GET; only 307 and 308 keep it.",
    fix: "Give clients the URL to which the redirect leads, or redirect with 308."
  },
  "redirect-origin": {
    level: "error",
    title: "The URL redirects to another origin",
    why: "Clients do not follow, or they follow without the Authorization field and are rejected there.",
    clients,
    specification:
      "Fetch standard, HTTP-redirect fetch: Authorization is removed when a redirect leads to another origin.",
    fix: "Give clients the URL to which the redirect leads."
  },
  "redirect-login": {
    level: "error",
    title: "A login page is in front of the server",
    why: "MCP clients have no browser session. They need status 401 with a challenge, not a page for people.",
    clients,
    specification: "MCP Authorization, Error Handling: 401 when authorization is required or the token is invalid.",
    fix:
      "Exclude the MCP path and /.well-known/ from the login proxy, and let a gateway that speaks OAuth check tokens there."
  },
  "redirect-slash": {
    level: "warning",
    title: "The URL redirects to another spelling of itself",
    why: "Clients that do not follow redirects fail, the others send each message twice.",
    clients: ["Claude", "Cursor", "SDKs"],
    specification:
      "MCP Authorization, Canonical Server URI: implementations SHOULD consistently use the form without the slash.",
    fix: "Let the server accept the URL as it is, or give clients the one to which the redirect leads."
  },
  "not-found": {
    level: "error",
    title: "There is no MCP endpoint at this path",
    why: "Every message is sent with POST to this one URL.",
    clients,
    specification:
      "MCP Transports, Streamable HTTP: the server MUST provide a single HTTP endpoint path that supports POST.",
    fix: "Check the path: that of an MCP endpoint is usually /mcp. Behind a proxy, check whether it removes a prefix."
  },
  "old-transport": {
    level: "error",
    title: "The server speaks the old HTTP+SSE transport only",
    why: "The transport of revision 2024-11-05 was replaced by Streamable HTTP. Newer clients have dropped it.",
    clients: ["ChatGPT", "SDKs", "Inspector"],
    specification: "MCP Transports, Backwards Compatibility: HTTP+SSE is deprecated since 2025-03-26.",
    fix:
      "Serve Streamable HTTP: in the Python SDK transport=\"streamable-http\", in TypeScript StreamableHTTPServerTransport."
  },
  "server-error": {
    level: "error",
    title: "The server, or a proxy in front of it, fails",
    why: "Clients treat 5xx as an outage.",
    clients,
    specification:
      "RFC 9110, section 15.6: the server is aware that it has erred or is incapable of performing the request.",
    fix:
      "Read the log of the proxy and of the server. 502, 503 and 504 usually mean that the proxy cannot reach the server."
  },
  "html": {
    level: "error",
    title: "The response is a web page",
    why: "An MCP client can read JSON and event streams only.",
    clients,
    specification: "MCP Transports, Streamable HTTP: the server MUST return text/event-stream or application/json.",
    fix: "Check the path, and whether a single-page application or an error page responds in place of the server."
  },
  "host-rejected": {
    level: "error",
    title: "The server rejects the host name of its own URL",
    why: "Servers that protect themselves against DNS rebinding accept only host names that they were told.",
    clients,
    specification: "MCP Transports, Security Warning: servers MUST validate Origin; SDK servers also validate Host.",
    fix:
      "Add the public host name to the allowed hosts of the server, or let the proxy send the Host that the server expects."
  }
} satisfies Readonly<Record<string, Rule>>
