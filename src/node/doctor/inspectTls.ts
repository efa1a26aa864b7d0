import * as Effect from "effect/Effect"
import { isIP } from "node:net"
import { connect } from "node:tls"
import type { TlsState } from "../../doctor/wire/TlsInspector.ts"

const timeoutMillis = 5_000

/** Reads the certificate of a server, without verifying it. Sends nothing after the handshake. */
export const inspectTls = (url: URL): Effect.Effect<TlsState | undefined> => {
  if (url.protocol !== "https:") return Effect.succeed(undefined)
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
  return Effect.callback<TlsState | undefined>((resume) => {
    const socket = connect({
      host,
      port: url.port === "" ? 443 : Number(url.port),
      // Another check verifies the certificate. No data is sent on this connection.
      rejectUnauthorized: false,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      timeout: timeoutMillis
    })
    const end = (state: TlsState | undefined) => {
      socket.destroy()
      resume(Effect.succeed(state))
    }
    socket.once("secureConnect", () => {
      const { issuer, valid_to: validTo } = socket.getPeerCertificate()
      const expires = Date.parse(validTo)
      const name = issuer?.O ?? issuer?.CN
      end(Number.isNaN(expires) ? undefined : { expires, issuer: [name].flat()[0] ?? "" })
    })
    socket.once("timeout", () => end(undefined))
    socket.on("error", () => end(undefined))
    return Effect.sync(() => void socket.destroy())
  })
}
