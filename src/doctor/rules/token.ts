/** Rules of the step `token`. Pure. */
import { clients, type Rule } from "../Finding.ts"

const validation =
  "MCP Authorization, Token Handling: servers MUST validate access tokens, and that they were issued for them."

export const rules = {
  "token-rejected": {
    level: "error",
    title: "The token is rejected",
    why: "A client with this token signs in, is rejected, and signs in again, or reports that the connection failed.",
    clients,
    specification: validation,
    fix:
      "Compare issuer, audience and expiry of the token with the settings of the server: mcp-authorizer explain does so rule by rule."
  },
  "token-lost": {
    level: "error",
    title: "The token does not reach the server",
    why: "The server says that there is no token, although one was sent: something on the way removes Authorization.",
    clients,
    specification:
      "RFC 9110, section 11.6.2: a proxy forwarding a request MUST NOT modify any Authorization header fields.",
    fix:
      "Let the proxies in front of the server pass Authorization. Apache with CGI: CGIPassAuth On. Authorizers of cloud gateways: " +
      "exclude the MCP path."
  },
  "token-expired": {
    level: "error",
    title: "The token has expired",
    why: "The examination with this token shows only how the server rejects it.",
    clients: [],
    specification: "RFC 7519, section 4.1.4: the token MUST NOT be accepted on or after exp.",
    fix: "Get a new token. If it is new: check the clocks of the provider and of this machine."
  },
  "token-audience": {
    level: "error",
    title: "The token is rejected, and it is not for this server",
    why: "The provider writes another audience than the server expects, so every client is rejected after signing in.",
    clients,
    specification: "RFC 8707, section 2: the token is restricted to the resource that the client asked for.",
    fix:
      "Let the provider write the URL of the MCP server into aud, or configure the audience that it writes (MCP_JWT_AUDIENCE)."
  },
  "token-issuer": {
    level: "error",
    title: "The token is rejected, and it is of another issuer",
    why: "Clients get tokens from the authorization server in the metadata, and this one is from elsewhere.",
    clients: [],
    specification:
      "RFC 9068, section 4: the issuer of the token MUST exactly match the issuer of the authorization server.",
    fix: "Get a token from the advertised authorization server, or advertise the one that issues these tokens."
  },
  "token-scope": {
    level: "error",
    title: "The token lacks a scope",
    why:
      "Clients ask for the scopes of the challenge or the metadata. If these are too few, every call fails with 403.",
    clients,
    specification:
      "MCP Authorization, Scope Challenge Handling: 403 with error=\"insufficient_scope\" and the needed scopes.",
    fix: "Advertise the needed scopes in the challenge and in scopes_supported, and permit them at the provider."
  },
  "token-failed": {
    level: "error",
    title: "The server fails with a token",
    why: "Clients take 5xx for an outage. Often the server cannot fetch the provider's keys.",
    clients,
    specification: "RFC 9110, section 15.6.",
    fix: "Read the log of the server: can it reach the provider from where it runs?"
  },
  "token-unchecked-signature": {
    level: "error",
    title: "A token with a wrong signature is accepted",
    why: "Everyone can write a token for any user.",
    clients: [],
    specification: "RFC 7515, section 5.2: if the signature cannot be validated, the JWS MUST be rejected.",
    fix: "Verify the signature of each token with the keys of the provider, or put the gateway in front of the server."
  },
  "token-foreign-audience": {
    level: "warning",
    title: "A token for another audience is accepted",
    why: "Tokens that users gave to other services work here, too.",
    clients: [],
    specification: "MCP Authorization, Token Handling: servers MUST only accept tokens that were issued for them.",
    fix: "Require the audience of this server (MCP_JWT_AUDIENCE)."
  },
  "session-without-token": {
    level: "error",
    title: "A session id is accepted in place of a token",
    why: "Everyone who learns a session id acts as its user, after the token has expired, too.",
    clients: [],
    specification:
      "MCP Security Best Practices: servers MUST verify all inbound requests and MUST NOT use sessions for authentication.",
    fix: "Check the token of each request."
  }
} satisfies Readonly<Record<string, Rule>>
