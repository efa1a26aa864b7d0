/** Settings about trust between the gateway and the MCP server. */
import { text } from "../kinds/kinds.ts"
import { hostName } from "../kinds/serverEntry.ts"
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
      "two while you replace it. The first signs; `/.well-known/jwks.json` publishes all."
  },
  MCP_UPSTREAM_CA_FILE: {
    kind: text,
    otherwise: "the system's authorities, and those of `MCP_CA_FILE`",
    doc: "A PEM file with the certificate authorities to trust for an https MCP server, in place of all others.",
    perServer: "ca_file"
  },
  MCP_UPSTREAM_CLIENT_CERT_FILE: {
    kind: text,
    otherwise: "none",
    doc: "A PEM file with the certificate that the gateway presents to an https MCP server, and its intermediate " +
      "certificates.",
    perServer: "client_cert_file"
  },
  MCP_UPSTREAM_CLIENT_KEY_FILE: {
    kind: text,
    otherwise: "none",
    doc: "A PEM file with the private key of that certificate.",
    perServer: "client_key_file"
  },
  MCP_UPSTREAM_SERVER_NAME: {
    kind: hostName,
    otherwise: "the host of its URL",
    doc: "The name of an https MCP server in TLS (SNI), which its certificate must have.",
    perServer: "server_name"
  }
} as const satisfies Record<string, Setting>
