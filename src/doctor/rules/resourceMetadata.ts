/** Rules of the step `resourceMetadata`. Pure. */
import { clients, type Rule, sdks } from "../Finding.ts"

const discovery =
  "MCP Authorization Server Discovery: servers MUST implement RFC 9728 to name their authorization servers."

export const rules = {
  "resource-missing": {
    level: "error",
    title: "There are no protected resource metadata",
    why:
      "Clients learn from them where to sign in. Without them they try the MCP host itself, and users land on a missing /authorize page.",
    clients,
    specification: discovery,
    fix: "Serve the document at /.well-known/oauth-protected-resource followed by the MCP path, without authentication."
  },
  "resource-legacy": {
    level: "warning",
    title: "The host serves metadata of an authorization server, but no protected resource metadata",
    why: "Revision 2025-03-26 was like that. Many clients still fall back to it; others end here.",
    clients,
    specification: discovery,
    fix: "Serve the document at /.well-known/oauth-protected-resource followed by the MCP path, without authentication."
  },
  "resource-named-missing": {
    level: "error",
    title: "The challenge names metadata that cannot be read",
    why: "Clients that are given a URL try no other.",
    clients,
    specification: "RFC 9728, section 3.2: a successful response MUST use 200 and application/json.",
    fix: "Serve the document at the URL in resource_metadata, without authentication, or correct the URL."
  },
  "resource-inserted-missing": {
    level: "warning",
    title: "The metadata are not at the well-known URL of this path",
    why: "Clients that do not use resource_metadata look there first.",
    clients: ["Cursor"],
    specification: "RFC 9728, section 3.1: the well-known string is inserted between the host and the path.",
    fix: "Serve the same document at /.well-known/oauth-protected-resource followed by the MCP path."
  },
  "resource-root-missing": {
    level: "note",
    title: "The metadata are not at the root well-known URL",
    why: "Some older clients look only there. If the host has several MCP servers, that is right.",
    clients: [],
    specification: "MCP Authorization Server Discovery: the root is the second place that clients try.",
    fix: "If this is the only MCP server of the host, serve the same document there."
  },
  "resource-protected": {
    level: "warning",
    title: "A well-known URL asks for credentials",
    why: "Clients have no token yet when they look for the metadata.",
    clients: ["Claude", "Cursor", "SDKs"],
    specification: "RFC 9728, section 3.1: the metadata are retrieved with an HTTP GET request, before authorization.",
    fix: "Exclude /.well-known/ from authentication; 404 is the response where there is no document."
  },
  "resource-html": {
    level: "warning",
    title: "A well-known URL responds with a web page",
    why: "Clients take 200 for the document and fail to parse it.",
    clients: ["Claude", "SDKs"],
    specification: "RFC 9728, section 3.2: application/json, or an error status.",
    fix: "Exclude /.well-known/ from the single-page application's fallback, so that missing documents get 404."
  },
  "resource-redirects": {
    level: "warning",
    title: "A well-known URL redirects",
    why: "Some clients do not follow redirects of metadata.",
    clients: ["SDKs", "Inspector"],
    specification: "RFC 9728, section 3.2: a successful response MUST use 200.",
    fix: "Serve the document without a redirect."
  },
  "resource-error": {
    level: "warning",
    title: "A well-known URL fails",
    why: "Clients try the next place after 4xx only.",
    clients: sdks,
    specification: "RFC 9728, section 3.2: a successful response uses 200, an error an applicable status.",
    fix: "Respond with the document, or 404."
  },
  "resource-media-type": {
    level: "warning",
    title: "The metadata are not sent as application/json",
    why: "Strict clients ignore the document.",
    clients: ["ChatGPT", "VS Code"],
    specification: "RFC 9728, section 3.2: the response MUST use the application/json content type.",
    fix: "Send Content-Type: application/json."
  },
  "resource-no-identifier": {
    level: "error",
    title: "The metadata do not name the resource",
    why: "Clients cannot check whether the document is for this server.",
    clients,
    specification: "RFC 9728, section 2: resource is REQUIRED.",
    fix: "Add resource with the URL of the MCP endpoint."
  },
  "resource-other": {
    level: "error",
    title: "The metadata are for another resource",
    why:
      "Clients discard them, because they could send a token for one server to another. The URL must be the one that users type.",
    clients,
    specification: "RFC 9728, section 3.3: if the value is not identical, the data MUST NOT be used.",
    fix: "Set resource to the URL that clients use. Behind a proxy: set the public URL of the server (MCP_PUBLIC_URL)."
  },
  "resource-prefix": {
    level: "error",
    title: "The metadata are for the host, not for this path",
    why: "The SDKs accept a parent path. VS Code and others compare the whole URL.",
    clients: ["VS Code", "Claude", "Cursor"],
    specification: "RFC 9728, section 3.3: if the value is not identical, the data MUST NOT be used.",
    fix: "Set resource to the whole URL of the MCP endpoint, with its path."
  },
  "resource-slash": {
    level: "error",
    title: "The resource and the URL differ in the slash at the end",
    why: "VS Code compares the whole URL, and tokens for one spelling are rejected for the other.",
    clients: ["VS Code"],
    specification: "RFC 9728, section 3.3: if the value is not identical, the data MUST NOT be used.",
    fix: "Give clients the URL as resource spells it, or change resource. The form without the slash is preferred."
  },
  "resource-no-servers": {
    level: "error",
    title: "The metadata name no authorization server",
    why: "Clients do not know where to sign in.",
    clients,
    specification: "MCP Authorization Server Discovery: authorization_servers MUST contain at least one entry.",
    fix: "Add authorization_servers with the issuer of your identity provider, as its own metadata spell it."
  },
  "resource-server-url": {
    level: "error",
    title: "An authorization server is not an https URL",
    why: "Clients build the URLs of the metadata from it, and accept https only (http on the same machine).",
    clients,
    specification: "RFC 8414, section 2: the issuer is a URL with the https scheme and no query or fragment.",
    fix: "Write the issuer of the identity provider, as its own metadata spell it."
  },
  "resource-server-private": {
    level: "error",
    title: "The authorization server is at an internal address",
    why: "The MCP server is public, and clients outside cannot reach the authorization server.",
    clients,
    specification: "RFC 8414, section 3: clients retrieve the metadata from the issuer's URL.",
    fix: "Name the issuer by its public URL, and let tokens carry the same one."
  },
  "resource-several-servers": {
    level: "note",
    title: "There are several authorization servers",
    why: "The SDKs always take the first.",
    clients: [],
    specification: "RFC 9728, section 7.6: the client chooses the authorization server.",
    fix: "Put the one that most users need first."
  },
  "resource-disagree": {
    level: "warning",
    title: "The documents at the well-known URLs differ",
    why: "Clients that look at different places sign in differently. An old document may be cached somewhere.",
    clients: ["Claude", "Cursor"],
    specification: "MCP Authorization Server Discovery: clients use the challenge's URL, the path's, or the root's.",
    fix: "Serve one document at all places."
  },
  "resource-null": {
    level: "error",
    title: "The metadata contain null",
    why: "The SDKs check the types of all members, and discard the whole document.",
    clients: sdks,
    specification: "RFC 9728, section 3.2: parameters with zero elements MUST be omitted.",
    fix: "Leave out members without a value."
  },
  "resource-types": {
    level: "error",
    title: "A member of the metadata has the wrong type",
    why: "The SDKs check the types of all members, and discard the whole document.",
    clients: sdks,
    specification:
      "RFC 9728, section 2: authorization_servers, scopes_supported and bearer_methods_supported are arrays of strings.",
    fix: "Write a JSON array of strings."
  },
  "resource-offline-access": {
    level: "note",
    title: "scopes_supported contains offline_access",
    why: "Clients ask for all of scopes_supported. Whether they may stay signed in is between them and the provider.",
    clients: [],
    specification: "MCP Authorization, Scope Selection: servers SHOULD NOT include offline_access in scopes_supported.",
    fix: "Remove it."
  },
  "resource-bearer-methods": {
    level: "warning",
    title: "bearer_methods_supported does not contain header",
    why: "MCP clients send tokens in the Authorization field only.",
    clients: ["ChatGPT"],
    specification: "MCP Authorization, Token Requirements: clients MUST use the Authorization request header field.",
    fix: "Write [\"header\"], or leave the member out."
  }
} satisfies Readonly<Record<string, Rule>>
