/** Rules of the step `origin`. Pure. */
import { type Rule } from "../Finding.ts"

export const rules = {
  "origin-unchecked": {
    level: "warning",
    title: "Origin is not checked",
    why: "A web page can reach a server on the user's machine or network through DNS rebinding.",
    clients: [],
    specification:
      "MCP Transports, Security Warning: servers MUST validate the Origin header on all incoming connections.",
    fix:
      "Reject unknown origins with 403 (MCP_ALLOWED_ORIGINS). A public server that needs a bearer token is not in danger."
  }
} satisfies Readonly<Record<string, Rule>>
