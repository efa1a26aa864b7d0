import { fieldName } from "../identity/untrustedFields.ts"
import { typeOf } from "../providers/types.ts"
import type { GatewaySettings } from "./GatewaySettings.ts"
import type { Problem } from "./InvalidConfiguration.ts"
import { type ExchangeAuth, type IdentityJwtAuth, upstreamField } from "./UpstreamAuth.ts"

const problem = (setting: string, text: string, fix: string): Problem => ({
  setting,
  source: undefined,
  problem: text,
  fix
})

const setting = "MCP_UPSTREAM_AUTH"

const checkIdentityJwt = (settings: GatewaySettings, auth: IdentityJwtAuth): ReadonlyArray<Problem> => [
  ...(settings.signingKeys.length > 0 ? [] : [problem(
    setting,
    "is identity_jwt, and there is no MCP_SIGNING_KEY to sign with",
    "Make one with: openssl genpkey -algorithm ed25519, and set MCP_SIGNING_KEY_FILE to the file"
  )]),
  ...(settings.publicUrl !== undefined || auth.issuer !== undefined ? [] : [problem(
    setting,
    "is identity_jwt, and the issuer of its tokens is not known, because there is no MCP_PUBLIC_URL",
    "Set MCP_PUBLIC_URL to the URL under which clients reach the gateway, or give identity_jwt an issuer"
  )]),
  ...(/^https?:/i.test(settings.gatewayUrl) || auth.audience !== undefined ? [] : [problem(
    setting,
    "is identity_jwt, and the MCP server behind a Unix socket has no URL that could be the audience",
    "Give identity_jwt an audience, and let the MCP server expect that one"
  )])
]

const checkExchange = (settings: GatewaySettings, auth: ExchangeAuth): ReadonlyArray<Problem> => {
  const { providers } = settings
  const names = providers.map(({ name }) => name).join(", ")
  const [only, ...others] = auth.provider === undefined
    ? providers
    : providers.filter(({ name }) => name === auth.provider)
  if (only === undefined) {
    return [problem(setting, "is exchange at a provider that the server does not have", `Name one of ${names}`)]
  }
  if (others.length > 0) {
    return [problem(
      setting,
      "is exchange, and the server has several providers",
      `Name the one whose tokens are exchanged as its provider: one of ${names}`
    )]
  }
  return auth.tokenEndpoint !== undefined || typeOf(settings, only).metadata !== undefined ? [] : [problem(
    setting,
    "is exchange at a provider without metadata that would name its token endpoint",
    "Give exchange a token_endpoint"
  )]
}

/** Reports TLS settings that have no effect, or need another setting. */
export const checkUpstreamTls = (settings: GatewaySettings): ReadonlyArray<Problem> => {
  const { upstreamCaFile, upstreamClientCertFile, upstreamClientKeyFile, upstreamServerName } = settings
  const given = ([
    ["MCP_UPSTREAM_CA_FILE", upstreamCaFile],
    ["MCP_UPSTREAM_CLIENT_CERT_FILE", upstreamClientCertFile],
    ["MCP_UPSTREAM_CLIENT_KEY_FILE", upstreamClientKeyFile],
    ["MCP_UPSTREAM_SERVER_NAME", upstreamServerName]
  ] as const).flatMap(([name, value]) => value === undefined ? [] : [name])
  if (!/^https:/i.test(settings.gatewayUrl)) {
    // Not reported if inherited: the setting may be meant for other servers.
    return settings.serverName !== "" ? [] : given.map((name) =>
      problem(
        name,
        "has no effect, because the MCP server has no https URL",
        "Remove it, or give the server an https URL"
      )
    )
  }
  if ((upstreamClientCertFile === undefined) === (upstreamClientKeyFile === undefined)) return []
  return [
    upstreamClientCertFile === undefined
      ? problem(
        "MCP_UPSTREAM_CLIENT_CERT_FILE",
        "is missing for the key that is given",
        "Name the file of its certificate"
      )
      : problem(
        "MCP_UPSTREAM_CLIENT_KEY_FILE",
        "is missing for the certificate that is given",
        "Name the file of its key"
      )
  ]
}

/** Reports settings of an MCP server that its `upstream_auth` needs and that are missing, or that contradict it. */
export const checkUpstreamAuth = (settings: GatewaySettings): ReadonlyArray<Problem> => {
  const { forwardAuthorization, forwardClaims, traceHeader, upstreamAuth } = settings
  const field = upstreamField(upstreamAuth)
  if (upstreamAuth._tag === "None" || field === undefined) return []
  const problems: Array<Problem> = []
  if (upstreamAuth._tag !== "Header" && !settings.authEnabled) {
    problems.push(problem(
      setting,
      "needs callers with tokens, and MCP_AUTH_ENABLED is false",
      "Remove one of the two; a fixed secret (type header) needs no caller"
    ))
  }
  if (field === "authorization" && forwardAuthorization) {
    problems.push(problem(
      setting,
      "uses Authorization, in which MCP_FORWARD_AUTHORIZATION forwards the token of the client",
      "Remove MCP_FORWARD_AUTHORIZATION, or choose another field"
    ))
  }
  const { folded } = fieldName(field)
  if (fieldName(traceHeader).folded === folded || forwardClaims.some((claim) => claim.field === folded)) {
    problems.push(problem(
      setting,
      "uses a field that MCP_FORWARD_CLAIMS or MCP_TRACE_HEADER uses as well",
      "Choose another field"
    ))
  }
  if (upstreamAuth._tag === "IdentityJwt") problems.push(...checkIdentityJwt(settings, upstreamAuth))
  // A missing provider is reported separately.
  if (upstreamAuth._tag === "Exchange" && settings.providers.length > 0) {
    problems.push(...checkExchange(settings, upstreamAuth))
  }
  return problems
}
