/** WorkOS AuthKit and WorkOS Connect, which have the same issuer. */
import { type Need, openIdOffline, type Preset } from "./Preset.ts"

const sources: Preset["sources"] = [
  "https://workos.com/docs/authkit/connect/token-claims",
  "https://workos.com/docs/authkit/mcp",
  "https://workos.com/docs/reference/workos-connect/authorize"
]

const issuerNeed: Need = {
  fields: ["issuer"],
  fix: "Set it to your AuthKit domain, as in https://your-tenant.authkit.app"
}

/** For MCP clients, which name a resource in their requests: `aud` is the URL of the MCP server. */
export const authkit = {
  name: "authkit",
  sources,
  needs: [issuerNeed],
  fields: { type: "authkit", audience: ["auto"], client_claims: ["client_id"] },
  facade: () => ({ ...openIdOffline(), resource: "keep" })
} as const satisfies Preset

/** For Connect applications, which name no resource: `aud` is the client id of the environment. */
export const workosConnect = {
  name: "workos-connect",
  sources,
  needs: [issuerNeed, {
    fields: ["audience"],
    fix: "Set it to the client id of your WorkOS environment (client_…), which tokens without a resource have in aud"
  }],
  fields: { type: "authkit", client_claims: ["client_id"] },
  facade: openIdOffline
} as const satisfies Preset
