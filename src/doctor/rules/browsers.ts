/** Rules of the step `browsers`. Pure. */
import { browsers as browserClients, type Rule } from "../Finding.ts"

const cors = "Fetch standard, CORS protocol"

export const rules = {
  "cors-preflight": {
    level: "warning",
    title: "Preflight requests are rejected",
    why: "Browsers send OPTIONS without credentials before each kind of request, and send nothing else if it fails.",
    clients: browserClients,
    specification: `${cors}: a preflight carries no credentials and must get a status from 200 to 299.`,
    fix: "Respond to OPTIONS with 204 and CORS fields before the token is checked."
  },
  "cors-origin": {
    level: "warning",
    title: "Browser clients may not connect",
    why: "Without Access-Control-Allow-Origin for its origin, a browser blocks the client's requests.",
    clients: browserClients,
    specification: `${cors}: Access-Control-Allow-Origin is the origin, or *.`,
    fix: "Allow the origins of browser clients (MCP_ALLOWED_ORIGINS), or ignore this if only other clients are used."
  },
  "cors-headers": {
    level: "warning",
    title: "Browser clients may not send fields that they need",
    why: "A browser blocks requests with fields that the preflight does not permit; * does not include Authorization.",
    clients: browserClients,
    specification: `${cors}: Access-Control-Allow-Headers lists the fields; Authorization must be named.`,
    fix: "Permit the fields that the preflight asks for: respond with the list of Access-Control-Request-Headers."
  },
  "cors-methods": {
    level: "warning",
    title: "Browser clients may not use a method that they need",
    why: "Sessions end with DELETE. GET and POST need no permission.",
    clients: browserClients,
    specification: `${cors}: Access-Control-Allow-Methods lists the methods that are not simple.`,
    fix: "Permit GET, POST and DELETE."
  },
  "cors-exposed": {
    level: "warning",
    title: "Browser clients cannot read the challenge",
    why: "A browser hides WWW-Authenticate from the client, which then does not find out where to sign in.",
    clients: browserClients,
    specification: `${cors}: only fields in Access-Control-Expose-Headers can be read.`,
    fix: "Send Access-Control-Expose-Headers: WWW-Authenticate, Mcp-Session-Id with every response, also with errors."
  },
  "cors-error-origin": {
    level: "warning",
    title: "Browser clients cannot read the 401",
    why: "The CORS fields are missing from errors, so the client sees a network failure in place of 401.",
    clients: browserClients,
    specification: `${cors}: each response that a client shall read needs Access-Control-Allow-Origin.`,
    fix: "Add the CORS fields to all responses. In nginx: add_header … always."
  },
  "cors-metadata": {
    level: "warning",
    title: "Browser clients cannot read the resource metadata",
    why: "The document is public, and the browser blocks it nevertheless.",
    clients: browserClients,
    specification: `${cors}: each response that a client shall read needs Access-Control-Allow-Origin.`,
    fix: "Send Access-Control-Allow-Origin: * with the document, and respond to OPTIONS with 204."
  },
  "cors-provider": {
    level: "warning",
    title: "Browser clients cannot use the authorization server",
    why: "Metadata, registration and tokens are requested by the page itself.",
    clients: browserClients,
    specification: `${cors}: each response that a client shall read needs Access-Control-Allow-Origin.`,
    fix:
      "Allow the origins of browser clients at the provider (often: web origins of the client), or let the Inspector connect via its proxy."
  },
  "cors-credentials": {
    level: "warning",
    title: "Every origin may send credentials",
    why: "The response repeats any origin and permits cookies, so every web page can act with the cookies of a user.",
    clients: [],
    specification: `${cors}: Access-Control-Allow-Credentials must not be combined with every origin.`,
    fix: "Remove Access-Control-Allow-Credentials: bearer tokens need no cookies."
  }
} satisfies Readonly<Record<string, Rule>>
