/** An https server on the loopback interface, with a certificate of its own. */
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Https from "node:https"
import type { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The handler of the server. */
export type TlsHandler = (request: IncomingMessage, response: ServerResponse) => void

/** A folder with a key and a self-signed certificate for this machine and `app.example`. */
const folder = Effect.acquireRelease(
  Effect.sync(() => {
    const path = mkdtempSync(join(tmpdir(), "mcp-authorizer-tls-"))
    const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    const names = "subjectAltName=DNS:localhost,DNS:app.example,IP:127.0.0.1,IP:::1"
    execFileSync(
      "openssl",
      [...request.split(" "), "-addext", names, "-keyout", join(path, "key"), "-out", join(path, "cert")],
      { stdio: "ignore" }
    )
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** Starts a server that stops with its scope. `caFile` is what its clients have to trust. */
export const startTlsServer = Effect.fnUntraced(function*(first: TlsHandler) {
  const path = yield* folder
  let handler = first
  const requests: Array<IncomingMessage> = []
  const connections: Array<Socket> = []
  const server = yield* Effect.acquireRelease(
    Effect.promise(() =>
      new Promise<Https.Server>((resolve) => {
        const server = Https.createServer(
          { key: readFileSync(join(path, "key")), cert: readFileSync(join(path, "cert")) },
          (request, response) => {
            requests.push(request)
            handler(request, response)
          }
        )
        server.on("connection", (socket: Socket) => connections.push(socket))
        server.on("tlsClientError", () => undefined)
        server.listen(0, "127.0.0.1", () => resolve(server))
      })
    ),
    (server) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
  const address = server.address()
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    caFile: join(path, "cert"),
    requests,
    connections,
    /** Handles requests in this way from now on. */
    handleWith: (next: TlsHandler) =>
      Effect.sync(() => {
        handler = next
      })
  }
})
