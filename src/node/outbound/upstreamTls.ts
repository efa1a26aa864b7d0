/** How the gateway speaks TLS with the MCP server. */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import * as Tls from "node:tls"
import type { InvalidConfiguration } from "../../config/InvalidConfiguration.ts"
import type { UpstreamSettings } from "../../config/upstreamSettings.ts"
import {
  authoritiesFix,
  defaultAuthorities,
  invalidIn,
  readAuthorities,
  readCertificates,
  readPem
} from "./authorities.ts"

/** The options of connections to the MCP server. */
export interface UpstreamTls {
  /** `undefined`: that of Node. */
  readonly secureContext: Tls.SecureContext | undefined
  /** `undefined`: the host of the URL. */
  readonly servername: string | undefined
  /** Of all files. */
  readonly digest: string
}

type TlsSettings = Pick<
  UpstreamSettings,
  "caFile" | "gatewayUrl" | "upstreamCaFile" | "upstreamClientCertFile" | "upstreamClientKeyFile" | "upstreamServerName"
>

export const upstreamTlsFiles = (
  { upstreamCaFile, upstreamClientCertFile, upstreamClientKeyFile }: TlsSettings
): ReadonlyArray<string> =>
  [upstreamCaFile, upstreamClientCertFile, upstreamClientKeyFile].filter((path) => path !== undefined)

const certFix = "Name a readable PEM file with the certificate that the gateway shows the MCP server"
const keyFix = "Name a readable PEM file with the unencrypted private key of the certificate"

/**
 * Reads the authorities to trust for the MCP server, and the certificate that the gateway shows it.
 *
 * Fails with `InvalidConfiguration` if a file cannot be used. Each file is read once. `undefined` for a server without TLS.
 */
export const readUpstreamTls = Effect.fnUntraced(function*(
  settings: TlsSettings
): Effect.fn.Return<UpstreamTls | undefined, InvalidConfiguration> {
  const { caFile, gatewayUrl, upstreamCaFile, upstreamClientCertFile, upstreamClientKeyFile, upstreamServerName } =
    settings
  if (!gatewayUrl.startsWith("https:")) return undefined
  const own = upstreamTlsFiles(settings)
  if (own.length === 0) {
    const authorities = yield* readAuthorities(caFile)
    return {
      secureContext: authorities?.secureContext,
      servername: upstreamServerName,
      digest: authorities?.digest ?? ""
    }
  }
  const invalidCa = invalidIn("MCP_UPSTREAM_CA_FILE", authoritiesFix)
  const invalidCert = invalidIn("MCP_UPSTREAM_CLIENT_CERT_FILE", certFix)
  const invalidKey = invalidIn("MCP_UPSTREAM_CLIENT_KEY_FILE", keyFix)
  const ca = upstreamCaFile === undefined
    ? yield* defaultAuthorities(caFile)
    : (yield* readCertificates(upstreamCaFile, invalidCa)).blocks
  const cert = upstreamClientCertFile === undefined
    ? undefined
    : (yield* readCertificates(upstreamClientCertFile, invalidCert)).text
  const key = upstreamClientKeyFile === undefined ? undefined : yield* readPem(upstreamClientKeyFile, invalidKey)
  if (upstreamClientKeyFile !== undefined && key === undefined) {
    return yield* invalidKey("is not a file of at most 4 MiB")
  }
  const pair = { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) }
  return yield* Effect.try({
    try: () => ({
      secureContext: Tls.createSecureContext({ ca: [...ca], ...pair }),
      servername: upstreamServerName,
      digest: createHash("sha256").update(JSON.stringify([ca, cert, key])).digest("hex")
    }),
    // The error of the library may quote a key.
    catch: () =>
      key === undefined
        ? invalidCa("has a certificate that cannot be read")
        : invalidKey("does not fit the certificate")
  })
})
