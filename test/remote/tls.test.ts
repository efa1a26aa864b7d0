import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer, get } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ProviderHttp } from "../../src/remote/ProviderHttp.ts"

/** A key and a self-signed certificate, made for each run. */
const selfSigned = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "mcp-authorizer-tls-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
).pipe(Effect.map((folder) => {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
  const names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert]
  execFileSync("openssl", request.split(" ").concat(names), { stdio: "ignore" })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}))

describe("a provider over TLS", () => {
  it.live("JWKS-26 gets no request if its certificate is not trusted", () =>
    Effect.gen(function*() {
      let requests = 0
      const pair = yield* selfSigned
      const server = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer(pair, (_request, response) => {
            requests++
            response.end("{\"keys\":[]}")
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const address = server.address()
      const port = typeof address === "object" ? address?.port : undefined
      const http = yield* ProviderHttp
      const failure = yield* Effect.flip(http.send({ url: `https://localhost:${port}/jwks`, allowedDomains: [] }))
      assert.strictEqual(failure.kind, "Unreachable")
      assert.include(failure.detail, `https://localhost:${port}/jwks: Unreachable, DEPTH_ZERO_SELF_SIGNED_CERT: `)
      assert.include(failure.detail, "MCP_CA_FILE")
      assert.strictEqual(requests, 0)
      // Positive control: the server is there, for a client that vouches for it.
      const status = yield* Effect.callback<number | undefined>((resume) => {
        get({ host: "localhost", port, ca: pair.cert, agent: false }, (response) => {
          response.resume()
          resume(Effect.succeed(response.statusCode))
        })
      })
      assert.strictEqual(status, 200)
    }).pipe(Effect.scoped, Effect.provide(ProviderHttp.layer.pipe(Layer.provide(FetchHttpClient.layer)))))
})
