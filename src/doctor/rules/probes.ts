/** Rules of the step `probes`. Pure. */
import { type Rule, sdks } from "../Finding.ts"

const places =
  "MCP Authorization Server Discovery: clients request well-known URLs, and continue where there is no document."

export const rules = {
  "probe-protected": {
    level: "warning",
    title: "A discovery URL asks for credentials",
    why: "Clients request it before they have a token, and may start to sign in for it.",
    clients: ["Claude", "Cursor", "SDKs"],
    specification: places,
    fix: "Exclude /.well-known/ from authentication: 404 where there is no document."
  },
  "probe-html": {
    level: "warning",
    title: "A discovery URL responds with a web page",
    why: "Clients take status 200 for the document, and fail to parse it.",
    clients: ["Claude", "SDKs", "Inspector"],
    specification: places,
    fix: "Exclude /.well-known/ from the fallback of the single-page application: 404 where there is no document."
  },
  "probe-error": {
    level: "warning",
    title: "A discovery URL fails",
    why: "Clients take 5xx for an outage and end, where 404 would let them continue.",
    clients: sdks,
    specification: places,
    fix: "Respond with 404 where there is no document."
  },
  "probe-redirects": {
    level: "note",
    title: "A discovery URL redirects",
    why: "Clients that follow use what they find there; the others continue.",
    clients: [],
    specification: places,
    fix: "Nothing, if it leads to the document of your authorization server; otherwise respond with 404."
  },
  "probe-other-issuer": {
    level: "note",
    title: "The host mirrors the metadata of another issuer",
    why: "Clients of revision 2025-03-26 need them here. Newer ones compare the issuer and ignore them.",
    clients: [],
    specification: "RFC 8414, section 3.3: the issuer value MUST be identical to that of the URL.",
    fix: "Keep the mirror for older clients, or remove it."
  }
} satisfies Readonly<Record<string, Rule>>
