/** Rules of the step `challenge`. Pure. */
import { clients, hosted, type Rule, sdks } from "../Finding.ts"

const errorHandling = "MCP Authorization, Error Handling: 401 when authorization is required or the token is invalid."

export const rules = {
  "open": {
    level: "note",
    title: "The server requires no authorization",
    why: "Everyone who reaches the URL can use it. Clients connect without signing in.",
    clients: [],
    specification: "MCP Authorization, Protocol Requirements: authorization is OPTIONAL for MCP implementations.",
    fix: "If this is not intended, put the gateway in front of it."
  },
  "forbidden": {
    level: "error",
    title: "A request without a token gets 403",
    why: "Clients start to sign in after 401 only. 403 tells them that signing in does not help.",
    clients,
    specification: errorHandling,
    fix: "Respond with 401 and WWW-Authenticate. If a firewall or a bot filter responds with 403, exclude the MCP path."
  },
  "rate-limited": {
    level: "warning",
    title: "The first request is rate-limited",
    why: "Newer clients take 429 for a server of an older revision, and the sign-in fails.",
    clients: sdks,
    specification: "RFC 6585, section 4: 429 indicates that the user has sent too many requests.",
    fix: "Raise the limit for requests without a token."
  },
  "not-challenged": {
    level: "error",
    title: "A request without a token gets neither a result nor 401",
    why: "Clients start to sign in after 401 only. The token must be checked before anything else of the request.",
    clients,
    specification: errorHandling,
    fix: "Check the token before the message, the session and the protocol version."
  },
  "tool-error": {
    level: "error",
    title: "The missing token is reported as a JSON-RPC error with status 200",
    why: "Clients show the error to the user, and do not start to sign in.",
    clients,
    specification: errorHandling,
    fix: "Respond with the HTTP status 401 and WWW-Authenticate."
  },
  "challenge-missing": {
    level: "warning",
    title: "The 401 has no WWW-Authenticate field",
    why: "Clients must guess where the metadata are. A proxy may have removed the field.",
    clients: ["Claude", "ChatGPT", "Cursor"],
    specification: "RFC 9110, section 15.5.2: the server generating a 401 MUST send a WWW-Authenticate field.",
    fix: "Send WWW-Authenticate: Bearer resource_metadata=\"…\", and let proxies pass it."
  },
  "challenge-login": {
    level: "error",
    title: "A login proxy for people is in front of the server",
    why:
      "It knows sessions of browsers. MCP clients get no challenge from it, and do not find out where to get a token.",
    clients,
    specification: errorHandling,
    fix:
      "Exclude the MCP path and /.well-known/ from the login proxy (oauth2-proxy: --skip-auth-route), and let a gateway that speaks OAuth " +
      "check tokens there."
  },
  "challenge-malformed": {
    level: "error",
    title: "WWW-Authenticate cannot be parsed",
    why: "Clients ignore what they cannot parse, and parsers differ in what they make of it.",
    clients,
    specification:
      "RFC 9110, section 11.6.1: WWW-Authenticate is a list of challenges: scheme, then name=\"value\" pairs.",
    fix: "Write one challenge: Bearer name=\"value\", name=\"value\". Escape quotes in values, and repeat no name."
  },
  "challenge-not-bearer": {
    level: "error",
    title: "The challenge is not for a bearer token",
    why: "MCP clients know the Bearer scheme (and some DPoP). With Basic, Negotiate or Digest they cannot sign in.",
    clients,
    specification:
      "MCP Authorization, Token Requirements: clients MUST use the Authorization field with the scheme Bearer.",
    fix: "Remove the other authentication from the MCP path, and respond with a Bearer challenge."
  },
  "challenge-not-first": {
    level: "warning",
    title: "Bearer is not the first challenge",
    why:
      "The official SDKs parse the field from its beginning, and older ones ignore it if another scheme comes first.",
    clients: sdks,
    specification: "RFC 9110, section 11.6.1: a field may contain several challenges; clients differ in parsing them.",
    fix: "Write the Bearer challenge first."
  },
  "challenge-no-metadata": {
    level: "warning",
    title: "The challenge does not name the resource metadata",
    why: "Clients must try well-known URLs, and some do not.",
    clients: ["Claude", "ChatGPT"],
    specification: "RFC 9728, section 5.1: resource_metadata is the URL of the protected resource metadata.",
    fix: "Add resource_metadata=\"https://host/.well-known/oauth-protected-resource/path\" to the challenge."
  },
  "challenge-metadata-url": {
    level: "error",
    title: "resource_metadata is not an absolute http or https URL",
    why: "Clients ignore a URL that they cannot parse.",
    clients,
    specification: "RFC 9728, section 5.1: the value is a URL.",
    fix: "Write the whole URL, from https:// on."
  },
  "challenge-metadata-http": {
    level: "error",
    title: "resource_metadata is an http URL",
    why: "Hosted clients do not request it, and browsers block it. The server does not know that its proxy speaks TLS.",
    clients: [...hosted, "Inspector"],
    specification: "RFC 9728, section 3: the metadata are at a URL with the https scheme.",
    fix: "Set the public URL of the server (MCP_PUBLIC_URL), or let it trust X-Forwarded-Proto of its proxy."
  },
  "challenge-metadata-host": {
    level: "error",
    title: "resource_metadata is at another host",
    why:
      "Usually the internal name of the server behind a proxy, which clients cannot reach; the resource must be this URL.",
    clients,
    specification: "RFC 9728, section 3.1: the well-known URL is at the host of the resource.",
    fix: "Set the public URL of the server (MCP_PUBLIC_URL), or let it trust X-Forwarded-Host of its proxy."
  },
  "challenge-description": {
    level: "warning",
    title: "A parameter of the challenge contains the name of another one",
    why: "The official SDKs search the whole field for scope=, error= and resource_metadata=, and find the wrong one.",
    clients: sdks,
    specification: "RFC 6750, section 3: error_description is for developers, and is not parsed.",
    fix: "Shorten error_description to words without quotes, backslashes and equals signs."
  },
  "challenge-error": {
    level: "note",
    title: "The challenge names an error although there was no token",
    why: "Clients do not mind. Users may read that their token is invalid before they had one.",
    clients: [],
    specification:
      "RFC 6750, section 3.1: without authentication information, the response SHOULD NOT include an error code.",
    fix: "Leave out error and error_description if there is no Authorization field."
  },
  "get-not-challenged": {
    level: "warning",
    title: "GET without a token does not get 401",
    why: "Claude and some others begin with GET, and take 404 or 405 for a server without authorization.",
    clients: ["Claude"],
    specification: errorHandling,
    fix: "Check the token before the method, so that every method gets the same 401."
  },
  "modern-not-challenged": {
    level: "warning",
    title: "A request of revision 2026-07-28 without a token does not get 401",
    why:
      "Clients that begin with server/discover take another 4xx for a server of an older revision, and 5xx for an outage.",
    clients: sdks,
    specification: errorHandling,
    fix: "Check the token before the protocol version and the method."
  },
  "bad-token-accepted": {
    level: "error",
    title: "A made-up token is accepted",
    why: "The server does not verify tokens: everyone can use it.",
    clients: [],
    specification: "MCP Authorization, Token Handling: MCP servers MUST validate access tokens.",
    fix: "Verify signature, issuer, audience and expiry of each token, or put the gateway in front of the server."
  },
  "bad-token-status": {
    level: "error",
    title: "A wrong token does not get 401",
    why:
      "Clients renew or replace a token after 401 only. With another status, users are locked out when a token expires.",
    clients,
    specification: "MCP Authorization, Token Handling: invalid or expired tokens MUST receive a HTTP 401 response.",
    fix: "Respond with 401 and error=\"invalid_token\" to each token that cannot be verified, also to malformed ones."
  },
  "bad-token-challenge": {
    level: "warning",
    title: "The 401 for a wrong token has no Bearer challenge",
    why: "A client whose token has expired starts over from this challenge.",
    clients: ["Claude", "SDKs"],
    specification: "RFC 6750, section 3: the resource server MUST include the WWW-Authenticate field.",
    fix: "Send the same challenge as without a token, with error=\"invalid_token\"."
  },
  "challenge-html": {
    level: "note",
    title: "The body of the 401 is a web page",
    why: "Clients show the body of errors to users or in logs.",
    clients: [],
    specification: "RFC 6750, section 3: the challenge has everything that clients need.",
    fix: "Respond with a short JSON object."
  }
} satisfies Readonly<Record<string, Rule>>
