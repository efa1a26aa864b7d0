import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import * as Https from "node:https"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, vi } from "vitest"
import { GatewayConfig } from "../../../src/config/GatewayConfig.ts"
import type { GatewaySettings } from "../../../src/config/GatewaySettings.ts"
import { GatewayClient } from "../../../src/forward/GatewayClient.ts"
import * as NodeGatewayClient from "../../../src/node/NodeGatewayClient.ts"
import * as ProviderClient from "../../../src/node/outbound/ProviderClient.ts"
import { ProviderHttp } from "../../../src/remote/ProviderHttp.ts"
import { userinfoProvider } from "../../fixtures/providers.ts"
import { settings } from "../../fixtures/settings.ts"

afterEach(() => vi.unstubAllEnvs())

const listening = <S extends Net.Server>(server: S): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.sync(() => {
        server.close()
        if (server instanceof Http.Server) server.closeAllConnections()
      })
  )

/** A folder with a key and a self-signed certificate for `localhost`. */
const folder = Effect.acquireRelease(
  Effect.sync(() => {
    const path = mkdtempSync(join(tmpdir(), "mcp-authorizer-ca-"))
    const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    const names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", join(path, "key"), "-out", join(path, "cert")]
    execFileSync("openssl", request.split(" ").concat(names), { stdio: "ignore" })
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

interface Seen {
  readonly target: string
  readonly authorization: string | undefined
}

/** A forward proxy: responds to plain requests with `{}`, and opens tunnels to `port` for every target. */
const startProxy = Effect.fnUntraced(function*(status: number, port?: number) {
  const seen: Array<Seen> = []
  const note = ({ headers, url = "" }: Http.IncomingMessage) =>
    seen.push({ target: url, authorization: headers["proxy-authorization"] })
  const server = Http.createServer((request, response) => {
    note(request)
    response.writeHead(status).end("{}")
  })
  server.on("connect", (request, socket: Net.Socket) => {
    note(request)
    socket.on("error", () => undefined)
    if (status !== 200 || port === undefined) return socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
    const beyond = Net.connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n")
      beyond.pipe(socket).pipe(beyond)
    })
    beyond.on("error", () => socket.destroy())
    socket.on("close", () => beyond.destroy())
  })
  return { origin: `127.0.0.1:${yield* listening(server)}`, seen }
})

const people = userinfoProvider({ issuer: "https://idp.example", userinfoEndpoint: "https://idp.example/userinfo" })

const withSettings = (changes: Partial<GatewaySettings>) =>
  Layer.succeed(GatewayConfig, settings("http://127.0.0.1:9/mcp", { providers: [people], ...changes }))

/** The result of a request to a provider with these settings. */
const ask = (url: string, changes: Partial<GatewaySettings> = {}) =>
  Effect.gen(function*() {
    const http = yield* ProviderHttp
    return yield* http.send({ url, allowedDomains: [], allowHttp: ["idp.invalid"] })
  }).pipe(
    Effect.match({ onFailure: ({ detail }) => detail, onSuccess: ({ body }) => JSON.stringify(body) }),
    Effect.scoped,
    Effect.provide(ProviderHttp.layer.pipe(
      Layer.provide(ProviderClient.layer),
      Layer.provide(withSettings(changes))
    ))
  )

const startTls = Effect.fnUntraced(function*(path: string) {
  const pair = { key: readFileSync(join(path, "key")), cert: readFileSync(join(path, "cert")) }
  return yield* listening(Https.createServer(pair, (_request, response) => response.end("{\"a\":1}")))
})

const build = (changes: Partial<GatewaySettings>) =>
  Effect.scoped(Layer.build(Layer.provide(ProviderClient.layer, withSettings(changes))))

describe("the client for providers", () => {
  it.live("goes through the proxy of the environment, with its credentials", () =>
    Effect.gen(function*() {
      const proxy = yield* startProxy(200)
      vi.stubEnv("HTTP_PROXY", `http://us%20er:secret@${proxy.origin}`)
      assert.strictEqual(yield* ask("http://idp.invalid/jwks?a=b"), "{}")
      const authorization = `Basic ${btoa("us er:secret")}`
      assert.deepStrictEqual(proxy.seen, [{ target: "http://idp.invalid/jwks?a=b", authorization }])
      // Nothing that is named, and not this machine.
      vi.stubEnv("NO_PROXY", "idp.invalid")
      assert.match(yield* ask("http://idp.invalid/jwks"), /Unreachable, (ENOTFOUND|EAI_AGAIN): /)
      assert.include(yield* ask("http://127.0.0.1:9/jwks"), "Unreachable, ECONNREFUSED")
      assert.lengthOf(proxy.seen, 1)
    }))

  it.live("sends requests over TLS through a tunnel, and trusts no further authorities", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const port = yield* startTls(path)
      const proxy = yield* startProxy(200, port)
      vi.stubEnv("https_proxy", proxy.origin)
      vi.stubEnv("NO_PROXY", "<-loopback>")
      const trusting = { caFile: join(path, "cert") }
      assert.strictEqual(yield* ask(`https://localhost:${port}/jwks`, trusting), "{\"a\":1}")
      assert.deepStrictEqual(proxy.seen, [{ target: `localhost:${port}`, authorization: undefined }])
      const untrusted = yield* ask(`https://localhost:${port}/jwks`)
      assert.include(untrusted, `Unreachable, DEPTH_ZERO_SELF_SIGNED_CERT, through the proxy http://${proxy.origin}`)
      const wrongName = yield* ask("https://idp.invalid/jwks", trusting)
      assert.include(wrongName, "Unreachable, ERR_TLS_CERT_ALTNAME_INVALID, through the proxy")
    }))

  it.live("reports failures of the proxy itself", () =>
    Effect.gen(function*() {
      const rejecting = yield* startProxy(407)
      vi.stubEnv("HTTPS_PROXY", `http://canary:canary@${rejecting.origin}`)
      assert.strictEqual(
        yield* ask("https://idp.invalid/jwks?canary"),
        `https://idp.invalid/jwks: Unreachable, PROXY_407, at the proxy http://${rejecting.origin}: ` +
          "the proxy wants credentials; put them into the URL of the proxy"
      )
      vi.stubEnv("HTTP_PROXY", `http://canary:canary@${rejecting.origin}`)
      assert.include(yield* ask("http://idp.invalid/jwks"), "Unreachable, PROXY_407, at the proxy")
      const gone = yield* Effect.scoped(startProxy(200))
      vi.stubEnv("HTTPS_PROXY", gone.origin)
      assert.include(
        yield* ask("https://idp.invalid/jwks"),
        `Unreachable, ECONNREFUSED, at the proxy http://${gone.origin}: nothing listens there`
      )
    }))

  it.live("does not start with an invalid proxy, unless no provider needs it", () =>
    Effect.gen(function*() {
      vi.stubEnv("HTTPS_PROXY", "socks5://canary:1080")
      const { message } = yield* Effect.flip(build({}))
      assert.include(message, "HTTPS_PROXY: is not the URL of an http or https proxy")
      assert.notInclude(message, "canary")
      yield* build({ providers: [] })
    }))

  it.live("trusts the authorities of a file in addition to the usual ones, for the MCP server too", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const port = yield* startTls(path)
      const url = `https://localhost:${port}/jwks`
      const caFile = join(path, "cert")
      assert.include(yield* ask(url), "DEPTH_ZERO_SELF_SIGNED_CERT: ")
      assert.strictEqual(yield* ask(url, { caFile }), "{\"a\":1}")
      // For another host it is not good.
      assert.include(yield* ask(`https://127.0.0.1:${port}/jwks`, { caFile }), "ERR_TLS_CERT_ALTNAME_INVALID")
      const status = (changes: Partial<GatewaySettings>) =>
        Effect.gen(function*() {
          const client = yield* GatewayClient
          return (yield* client.send({ method: "GET", target: "/mcp", headers: {}, body: undefined })).status
        }).pipe(
          Effect.catchTag("UpstreamUnavailable", ({ detail }) => Effect.succeed(detail)),
          Effect.scoped,
          Effect.provide(Layer.provide(
            NodeGatewayClient.layer,
            withSettings({ gatewayUrl: `https://localhost:${port}/mcp`, ...changes })
          ))
        )
      assert.strictEqual(yield* status({ caFile }), 200)
      assert.include(yield* status({}), "DEPTH_ZERO_SELF_SIGNED_CERT")
    }))

  it.live("does not start with an invalid CA file", () =>
    Effect.gen(function*() {
      const path = yield* folder
      writeFileSync(join(path, "cut"), "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
      writeFileSync(join(path, "empty"), "")
      const problem = (file: string) =>
        Effect.map(
          Effect.flip(Effect.scoped(
            Layer.build(Layer.provide(ProviderClient.layer, withSettings({ caFile: join(path, file) })))
          )),
          ({ message }) => message
        )
      assert.include(yield* problem("absent"), "MCP_CA_FILE: cannot be read (ENOENT)")
      assert.include(yield* problem("."), "MCP_CA_FILE: is not a file")
      assert.include(yield* problem("empty"), "MCP_CA_FILE: has no PEM certificate")
      assert.include(yield* problem("key"), "MCP_CA_FILE: has no PEM certificate")
      assert.include(yield* problem("cut"), "MCP_CA_FILE: has a certificate that cannot be read")
    }))

  it.live("survives responses that are not read", () =>
    Effect.gen(function*() {
      const port = yield* listening(Http.createServer((_request, response) => {
        response.writeHead(500).write("x".repeat(100_000))
      }))
      for (let i = 0; i < 5; i++) assert.include(yield* ask(`http://127.0.0.1:${port}/`), "Status 500")
      const client = Effect.map(HttpClient.HttpClient, () => true)
      assert.isTrue(yield* Effect.provide(client, Layer.provide(ProviderClient.layer, withSettings({}))))
    }))
})
