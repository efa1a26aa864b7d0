/** Rules of the step `signIn`. Pure. */
import { clients, type Rule } from "../Finding.ts"

const pkce =
  "MCP Authorization, Authorization Code Protection: without code_challenge_methods_supported clients MUST NOT proceed."

const registration =
  "MCP Client Registration: pre-registered id, then client ID metadata document, then dynamic registration."

export const rules = {
  "pkce-absent": {
    level: "error",
    title: "The metadata do not say that PKCE is supported",
    why: "Clients that follow the specification to the letter end here. The SDKs continue.",
    clients: ["ChatGPT"],
    specification: pkce,
    fix: "Enable PKCE at the provider, so that code_challenge_methods_supported lists S256."
  },
  "pkce-no-s256": {
    level: "error",
    title: "PKCE with S256 is not supported",
    why: "Clients use S256, and end here.",
    clients,
    specification: "MCP Authorization, Authorization Code Protection: clients MUST use S256 when technically capable.",
    fix: "Enable S256 at the provider."
  },
  "registration-none": {
    level: "warning",
    title: "Clients cannot register themselves",
    why:
      "There is neither a registration endpoint nor support for client ID metadata documents, so each client must be given an id by hand.",
    clients,
    specification: registration,
    fix:
      "Enable one of both at the provider, or register one client there and give its id to each MCP client: Claude and ChatGPT ask " +
      "for it in the advanced settings of the connector, VS Code when it connects, Cursor takes auth.CLIENT_ID in mcp.json."
  },
  "registration-dead": {
    level: "error",
    title: "The registration endpoint does not work",
    why: "Clients register themselves there before they sign in.",
    clients,
    specification: "RFC 7591, section 3: the client registration endpoint accepts HTTP POST messages.",
    fix: "Check the proxy in front of the provider, or remove registration_endpoint from the metadata."
  },
  "registration-closed": {
    level: "error",
    title: "The registration endpoint rejects clients",
    why: "Clients register without credentials, and end here.",
    clients,
    specification: "RFC 7591, section 3: open registration needs no initial access token.",
    fix:
      "Permit registration without a token, or remove registration_endpoint from the metadata and give clients an id by hand."
  },
  "registration-confidential": {
    level: "warning",
    title: "Public clients are not offered",
    why:
      "Most MCP clients run on the user's machine and keep no secret: they authenticate at the token endpoint with none.",
    clients: ["VS Code", "Cursor", "Inspector", "SDKs"],
    specification:
      "RFC 8414, section 2: token_endpoint_auth_methods_supported; MCP Client Registration: public clients use none.",
    fix: "Permit public clients at the provider, so that token_endpoint_auth_methods_supported lists none."
  },
  "registration-documents-none": {
    level: "note",
    title: "Client ID metadata documents are not supported",
    why:
      "They are the recommended way to register. Dynamic registration is deprecated, and still works with all clients.",
    clients: [],
    specification: registration,
    fix: "Enable client_id_metadata_document_supported at the provider, if it can."
  }
} satisfies Readonly<Record<string, Rule>>
