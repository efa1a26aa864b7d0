/** Rules of the step `authorizationServer`. Pure. */
import { clients, hosted, type Rule, sdks } from "../Finding.ts"

const places =
  "MCP Authorization Server Discovery: clients try the OAuth and the OpenID Connect well-known URLs in a fixed order."

export const rules = {
  "server-missing": {
    level: "error",
    title: "The authorization server has no metadata",
    why: "Clients do not know where to sign in. Some try /authorize at the host, which usually does not exist.",
    clients,
    specification:
      "MCP Authorization Server Discovery: authorization servers MUST provide RFC 8414 or OpenID Connect metadata.",
    fix:
      "Check the issuer in authorization_servers: it must be the one of which the provider's own discovery document is part."
  },
  "server-early-error": {
    level: "error",
    title: "A place that clients try first fails",
    why: "The SDKs try the next place after 4xx only, and stop here, although the document exists elsewhere.",
    clients: sdks,
    specification: places,
    fix: "Respond with 404 where there is no document: usually a matter of the proxy in front of the provider."
  },
  "server-early-html": {
    level: "error",
    title: "A place that clients try first responds with a web page",
    why: "The SDKs take status 200 for the document, fail to parse it, and stop.",
    clients: sdks,
    specification: places,
    fix:
      "Respond with 404 where there is no document: exclude /.well-known/ from the fallback of the single-page application."
  },
  "server-redirects": {
    level: "warning",
    title: "The metadata are behind a redirect",
    why: "Some clients do not follow redirects of metadata, because the target could belong to someone else.",
    clients: sdks,
    specification: "RFC 8414, section 3.2: a successful response MUST use the 200 OK HTTP status code.",
    fix: "Name the issuer in authorization_servers whose well-known URL has the document without a redirect."
  },
  "server-no-issuer": {
    level: "error",
    title: "The metadata name no issuer",
    why: "Clients must compare it, and discard the document.",
    clients,
    specification: "RFC 8414, section 2: issuer is REQUIRED.",
    fix: "Add issuer, spelled as in authorization_servers."
  },
  "server-other-issuer": {
    level: "error",
    title: "The metadata are of another issuer",
    why: "Clients discard them, because another server could pretend to be this one (mix-up).",
    clients,
    specification: "RFC 8414, section 3.3: the issuer value MUST be identical, or the data MUST NOT be used.",
    fix:
      "Write the issuer in authorization_servers exactly as the provider's document spells it. If the provider is behind a proxy, " +
      "set its public URL."
  },
  "server-issuer-slash": {
    level: "warning",
    title: "The issuer and its metadata differ in the slash at the end",
    why: "Clients that compare exactly discard the document. The SDKs tolerate one slash.",
    clients: ["VS Code", "ChatGPT"],
    specification: "RFC 8414, section 3.3: the issuer value MUST be identical.",
    fix: "Write the issuer in authorization_servers exactly as the provider's document spells it."
  },
  "server-endpoint-missing": {
    level: "error",
    title: "The metadata lack an endpoint",
    why: "Signing in needs both the authorization endpoint and the token endpoint.",
    clients,
    specification: "RFC 8414, section 2: authorization_endpoint and token_endpoint.",
    fix: "Enable the authorization code flow at the provider, or use the issuer that offers it."
  },
  "server-endpoint-http": {
    level: "error",
    title: "An endpoint is not an https URL",
    why: "Newer SDKs and hosted clients send no credentials over http.",
    clients: [...hosted, "SDKs", "Inspector"],
    specification:
      "MCP Authorization, Communication Security: all authorization server endpoints MUST be served over HTTPS.",
    fix: "Set the public URL of the provider. Behind a proxy, let it trust X-Forwarded-Proto."
  },
  "server-endpoint-private": {
    level: "error",
    title: "An endpoint is at an internal address",
    why: "The issuer is public, and browsers and hosted clients cannot reach the endpoint.",
    clients,
    specification: "RFC 8414, section 2: the endpoints are URLs that clients request.",
    fix: "Set the public URL of the provider (Keycloak: KC_HOSTNAME), so that its document has public URLs."
  },
  "server-endpoint-dead": {
    level: "error",
    title: "The authorization endpoint does not exist",
    why: "Users land on an error page when they sign in.",
    clients,
    specification: "RFC 6749, section 3.1: the authorization endpoint is used to interact with the resource owner.",
    fix: "Check the proxy in front of the provider: it must pass the path of the authorization endpoint."
  },
  "server-no-code": {
    level: "error",
    title: "The authorization code flow is not offered",
    why: "MCP clients know no other flow for people.",
    clients,
    specification:
      "MCP Authorization, Overview: clients use OAuth 2.1, whose flow for users is the authorization code.",
    fix: "Enable response type code and grant type authorization_code at the provider."
  },
  "server-no-refresh": {
    level: "note",
    title: "Refresh tokens are not offered",
    why: "Users sign in again whenever a token expires.",
    clients: [],
    specification:
      "RFC 8414, section 2: grant_types_supported lists the grant types, with refresh_token if there is one.",
    fix: "Enable refresh tokens for the clients, or make tokens live longer."
  },
  "server-scopes": {
    level: "warning",
    title: "Clients are told to ask for scopes that the authorization server does not list",
    why: "Providers reject unknown scopes with invalid_scope, and the sign-in ends on an error page.",
    clients,
    specification:
      "MCP Authorization, Scope Selection: clients ask for the challenge's scope, or for all of scopes_supported.",
    fix: "Create the scopes at the provider, or advertise those that it has."
  },
  "server-clock": {
    level: "warning",
    title: "The clocks of the authorization server and the MCP server differ",
    why: "Tokens count as not yet valid or as expired too early, so clients are rejected right after signing in.",
    clients,
    specification: "RFC 7519, sections 4.1.4 and 4.1.5: leeway for clock skew is usually no more than a few minutes.",
    fix: "Synchronize the clocks of both with NTP."
  },
  "server-no-iss": {
    level: "note",
    title: "Responses of the authorization endpoint do not name the issuer",
    why: "Clients that use several providers cannot detect a mix-up.",
    clients: [],
    specification: "MCP Authorization, Security Considerations: authorization servers SHOULD send iss (RFC 9207).",
    fix: "Enable it at the provider, if it can."
  },
  "server-quirk": {
    level: "note",
    title: "What to know about this provider",
    why: "Its defaults differ from what MCP clients expect.",
    clients: [],
    specification: "The documentation of the provider.",
    fix: "Compare with your settings at the provider."
  }
} satisfies Readonly<Record<string, Rule>>
