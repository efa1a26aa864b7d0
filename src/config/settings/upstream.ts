/** What the MCP server can trust, and what the gateway trusts about the MCP server. */
import { signingKeys } from "../kinds/signingKeys.ts"
import { upstreamAuth } from "../kinds/upstreamAuth.ts"
import { none, type Setting } from "./Setting.ts"

export const upstream = {
  MCP_UPSTREAM_AUTH: {
    kind: upstreamAuth,
    default: "none",
    secret: true,
    partlyShown: true,
    doc:
      "What the MCP server can trust: `none`, `identity_jwt` (a JWT that the gateway signs), or an object with `type` " +
      "`identity_jwt`, `exchange` or `header`: [what they do](../upstream/README.md). Clients cannot send the field that " +
      "carries it.",
    perServer: true
  },
  MCP_SIGNING_KEY: {
    kind: signingKeys,
    property: "signingKeys",
    absent: none,
    secret: true,
    otherwise: "`identity_jwt` cannot be used",
    doc:
      "The private key that signs the tokens of `identity_jwt`: Ed25519 or EC on P-256, as PKCS#8 in PEM or as a JWK; " +
      "two while it is changed. The first signs; `/.well-known/jwks.json` publishes all."
  }
} as const satisfies Record<string, Setting>
