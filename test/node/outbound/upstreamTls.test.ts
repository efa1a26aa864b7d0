/** TLS between the gateway and the MCP server: authorities, the name of the server, and the certificate of the gateway. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as Https from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TLSSocket } from "node:tls"
import type { UpstreamInput } from "../../../src/config/upstreamSettings.ts"
import * as NodeGatewayClient from "../../../src/node/NodeGatewayClient.ts"

/** Certificates of an authority of one's own: for a server that is called notes.internal, and for the gateway. */
const certificates = Effect.acquireRelease(
  Effect.sync(() => {
    const path = mkdtempSync(join(tmpdir(), "mcp-authorizer-mtls-"))
    const openssl = (line: string) => execFileSync("openssl", line.split(" "), { cwd: path, stdio: "ignore" })
    const key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    openssl(`req -x509 ${key} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem`)
    for (const [name, names] of [["server", "DNS:notes.internal"], ["gateway", "DNS:gateway.internal"]] as const) {
      openssl(`req -new ${key} -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`)
      writeFileSync(join(path, "names"), `subjectAltName=${names}\n`)
      openssl(
        `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out ${name}.pem`
      )
    }
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/**
 * An MCP server that requires a certificate of the authority, and returns the subject of the certificate and the
 * requested name.
 */
const startServer = Effect.fnUntraced(function*(path: string) {
  const read = (name: string) => readFileSync(join(path, name))
  const server = yield* Effect.acquireRelease(
    Effect.promise(() =>
      new Promise<Https.Server>((resolve) => {
        const server = Https.createServer(
          {
            key: read("server.key"),
            cert: read("server.pem"),
            ca: read("ca.pem"),
            requestCert: true,
            rejectUnauthorized: false
          },
          ({ socket }, response) => {
            // A server of https has only such sockets.
            const tls = socket as TLSSocket & { readonly servername: string | false }
            const { subject } = tls.getPeerCertificate()
            response.setHeader("content-type", "application/json")
            response.end(JSON.stringify({
              authorized: tls.authorized,
              client: subject?.CN ?? null,
              servername: tls.servername
            }))
          }
        )
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
  return `https://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/mcp`
})

const ask = Effect.fnUntraced(function*(input: UpstreamInput) {
  const client = yield* NodeGatewayClient.make(input)
  const request = { method: "GET", target: "/mcp", headers: {}, body: undefined, identity: undefined, owner: undefined }
  const { body } = yield* client.send(request)
  return body._tag === "Bytes" ? Buffer.from(body.bytes).toString() : body._tag
}, Effect.scoped)

describe("TLS with the MCP server", () => {
  it.live("trusts its authority alone, by its name, and shows it the certificate of the gateway", () =>
    Effect.gen(function*() {
      const path = yield* certificates
      const url = yield* startServer(path)
      const trusting = {
        server_url: url,
        upstream_ca_file: join(path, "ca.pem"),
        upstream_server_name: "notes.internal"
      }
      assert.deepStrictEqual(JSON.parse(yield* ask(trusting)), {
        authorized: false,
        client: null,
        servername: "notes.internal"
      })
      const shown = {
        upstream_client_cert_file: join(path, "gateway.pem"),
        upstream_client_key_file: join(path, "gateway.key")
      }
      assert.deepStrictEqual(JSON.parse(yield* ask({ ...trusting, ...shown })), {
        authorized: true,
        client: "gateway",
        servername: "notes.internal"
      })
      // By its address, which the certificate does not contain, and without its authority.
      const failures = yield* Effect.forEach(
        [
          { server_url: url, upstream_ca_file: join(path, "ca.pem") },
          { server_url: url, upstream_server_name: "notes.internal" },
          { ...trusting, upstream_ca_file: join(path, "gateway.pem") }
        ],
        (input) => Effect.flip(ask(input))
      )
      assert.deepStrictEqual(failures.map(({ _tag }) => _tag), failures.map(() => "UpstreamUnavailable"))
    }))

  it.live("reports files that cannot be used, each with its setting", () =>
    Effect.gen(function*() {
      const path = yield* certificates
      writeFileSync(join(path, "empty"), "")
      const problemOf = Effect.fnUntraced(function*(input: Partial<UpstreamInput>) {
        const made = yield* Effect.result(
          Effect.scoped(NodeGatewayClient.make({ server_url: "https://127.0.0.1:9/mcp", ...input }))
        )
        return Result.isFailure(made) ? made.failure.message : "usable"
      })
      const pair = (cert: string, key: string) => ({
        upstream_client_cert_file: join(path, cert),
        upstream_client_key_file: join(path, key)
      })
      assert.include(
        yield* problemOf({ upstream_ca_file: join(path, "none") }),
        "MCP_UPSTREAM_CA_FILE: cannot be read (ENOENT)"
      )
      assert.include(
        yield* problemOf({ upstream_ca_file: join(path, "empty") }),
        "MCP_UPSTREAM_CA_FILE: has no PEM certificate"
      )
      assert.include(
        yield* problemOf(pair("empty", "gateway.key")),
        "MCP_UPSTREAM_CLIENT_CERT_FILE: has no PEM certificate"
      )
      assert.include(
        yield* problemOf(pair("gateway.pem", "none")),
        "MCP_UPSTREAM_CLIENT_KEY_FILE: cannot be read (ENOENT)"
      )
      assert.include(yield* problemOf(pair("gateway.pem", "server.key")), "MCP_UPSTREAM_CLIENT_KEY_FILE: does not fit")
      assert.strictEqual(yield* problemOf(pair("gateway.pem", "gateway.key")), "usable")
    }))
})
