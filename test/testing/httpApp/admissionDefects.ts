/** Gateways that accept callers that they should reject, or reject callers that they should accept. */
import * as Effect from "effect/Effect"
import { InvalidToken } from "../../../src/errors/GatewayError.ts"
import type { Identity } from "../../../src/identity/Identity.ts"
import { around, type Defect, misconfigured, receiving, verifying } from "./defects.ts"

const someone: Identity = {
  subject: "anyone",
  clientId: undefined,
  issuer: "https://issuer.example",
  scopes: ["mcp:read", "mcp:write", "tools:call"],
  email: undefined,
  name: undefined,
  provider: "static",
  expiresAt: undefined,
  claims: {}
}

export const admissionDefects: ReadonlyArray<Defect> = [
  [
    "believes forwarding fields of anyone (FWD-17, CVE-2026-40575)",
    ["APP-23"],
    misconfigured({
      trustedProxies: { _tag: "All" }
    })
  ],
  [
    "matches paths as a router does (HTTP-08, CVE-2026-26205)",
    ["APP-24"],
    receiving((request) =>
      request.modify({ url: request.url.toLowerCase().replace("//", "/").replace("%6d", "m").replace(";a=b", "") })
    )
  ],
  [
    "takes a token from the query (CRED-08)",
    ["APP-53"],
    receiving((request) => {
      const [path = "", query = ""] = request.url.split("?")
      const token = new URLSearchParams(query).get("access_token")
      return token === null
        ? request
        : request.modify({ url: path, headers: { ...request.headers, authorization: `Bearer ${token}` } })
    })
  ],
  [
    "takes the last of several credentials (CRED-02, CVE-2025-64527)",
    ["APP-53"],
    receiving((request) => {
      const { authorization, ...headers } = request.headers
      return authorization === undefined
        ? request
        : request.modify({ headers: { ...headers, authorization: authorization.split(", ").at(-1) ?? "" } })
    })
  ],
  [
    "takes a token from other fields (CRED-11)",
    ["APP-51"],
    receiving((request) => {
      const token = request.headers["cookie"] ?? request.headers["x-access-token"]
      return token === undefined
        ? request
        : request.modify({ headers: { ...request.headers, authorization: `Bearer ${token}` } })
    })
  ],
  [
    "counts any token as good (CVE-2022-29226)",
    ["APP-54"],
    verifying((verify) => (token) => Effect.catchTag(verify(token), "InvalidToken", () => Effect.succeed(someone)))
  ],
  [
    "lets health checks in by their name (GHSA-5hvv-m4w4-gf6v)",
    ["APP-54"],
    verifying((verify, { headers }) =>
      headers["user-agent"]?.startsWith("kube-probe") === true ? () => Effect.succeed(someone) : verify
    )
  ],
  [
    "forwards the message before it has checked it (CFG-03)",
    ["APP-54"],
    around((handle, { send }) =>
      Effect.andThen(
        Effect.ignore(send({ method: "POST", target: "/mcp-internal", headers: {}, body: undefined })),
        handle
      )
    )
  ],
  [
    "lets every page of the web call (WEB-01, CVE-2025-66414)",
    ["APP-55"],
    misconfigured({
      allowedOrigins: { _tag: "Any" }
    })
  ],
  [
    "says 401 while the provider is down (JWKS-04)",
    ["APP-54", "APP-56"],
    verifying((verify) => (token) =>
      Effect.catchTag(
        verify(token),
        "ProviderUnavailable",
        ({ detail, provider }) => Effect.fail(new InvalidToken({ reason: "ValidationFailed", provider, detail }))
      )
    )
  ]
]
