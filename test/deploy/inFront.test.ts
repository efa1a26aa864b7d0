/** nginx and Caddy terminate TLS in front of the gateway, with the files of `src/deploy/in-front`. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFileSync } from "node:child_process"
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import type { IncomingMessage } from "node:http"
import * as Https from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { settingsOfInput } from "../config/resolving.ts"
import { ping } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { makeEventStream } from "../support/eventStream.ts"
import { startGateway } from "../support/gateway.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "../support/RecordingUpstream.ts"
import { reservePort } from "../support/reservePort.ts"
import { type ProxyName, startProxy } from "../support/ReverseProxy.ts"

const { trustedProxies } = settingsOfInput({
  static_tokens: "dev-token:c:s:",
  server_url: "http://127.0.0.1:9/mcp",
  trusted_proxies: "127.0.0.0/8"
})

/** A folder with a self-signed certificate for 127.0.0.1, which workers of nginx can read. */
const certificate = Effect.acquireRelease(
  Effect.sync(() => {
    const path = mkdtempSync(join(tmpdir(), "mcp-authorizer-in-front-"))
    chmodSync(path, 0o755)
    const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    const files = ["-keyout", join(path, "key.pem"), "-out", join(path, "cert.pem")]
    execFileSync("openssl", [...request.split(" "), "-addext", "subjectAltName=IP:127.0.0.1", ...files], {
      stdio: "ignore"
    })
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

interface Sent {
  readonly path: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

class Front extends Context.Service<Front, {
  readonly ca: Buffer
  readonly ports: Record<ProxyName, number>
  readonly upstream: RecordingUpstream
}>()("mcp-authorizer/test/deploy/inFront/Front") {
  static readonly layer = Layer.effect(
    Front,
    Effect.gen(function*() {
      const tls = yield* certificate
      const upstream = yield* makeRecordingUpstream
      // Without a public URL, so that the gateway shows which fields of the proxy it trusts.
      const gateway = yield* startGateway(settings(`${upstream.origin}/mcp`, { trustedProxies }))
      const behind = Effect.fnUntraced(function*(name: ProxyName) {
        const proxy = yield* reservePort
        const ports = { proxy, gateway: Number(new URL(gateway.origin).port), server: 0 }
        yield* startProxy(name, ports, { folder: "in-front", tls })
        return proxy
      })
      const ports = { nginx: yield* behind("nginx"), caddy: yield* behind("caddy") }
      return { ca: readFileSync(join(tls, "cert.pem")), ports, upstream }
    })
  )
}

const authorization = "Bearer dev-token"

/** Sends a request through a proxy, and returns its response as soon as the head is there. */
const send = Effect.fnUntraced(function*(proxy: ProxyName, { body, headers = {}, method = "GET", path }: Sent) {
  const { ca, ports } = yield* Front
  return yield* Effect.callback<IncomingMessage>((resume) => {
    const request = Https.request(
      { host: "127.0.0.1", port: ports[proxy], path, method, headers, ca, agent: false },
      (response) => resume(Effect.succeed(response))
    )
    request.on("error", (error) => resume(Effect.die(error)))
    request.end(body)
    return Effect.sync(() => request.destroy())
  })
})

const textOf = (response: IncomingMessage) =>
  Effect.promise(async () => {
    let text = ""
    for await (const chunk of response.setEncoding("utf8")) text += chunk
    return text
  })

/** Waits for the next chunk. */
const chunkOf = (response: IncomingMessage) =>
  Effect.callback<string>((resume) => {
    response.setEncoding("utf8").once("data", (chunk: string) => resume(Effect.succeed(chunk)))
  })

layer(Front.layer, { excludeTestServices: true, timeout: 60_000 })("proxies in front of the gateway", (it) => {
  for (const proxy of ["nginx", "caddy"] as const) {
    it.effect(`${proxy}: a challenge and its document name the https URL of the proxy`, () =>
      Effect.gen(function*() {
        const { ports } = yield* Front
        const origin = `https://127.0.0.1:${ports[proxy]}`
        const rejected = yield* send(proxy, { path: "/mcp", method: "POST", body: ping })
        assert.strictEqual(rejected.statusCode, 401)
        const place = "/.well-known/oauth-protected-resource"
        assert.include(rejected.headers["www-authenticate"], `resource_metadata="${origin}${place}`)
        const document = yield* textOf(yield* send(proxy, { path: `${place}/mcp` }))
        assert.strictEqual(JSON.parse(document).resource, `${origin}/mcp`)
      }))

    it.effect(`${proxy}: the host that a client claims in a field is replaced`, () =>
      Effect.gen(function*() {
        const headers = { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http" }
        const document = yield* textOf(
          yield* send(proxy, { path: "/.well-known/oauth-protected-resource/mcp", headers })
        )
        assert.match(JSON.parse(document).resource, /^https:\/\/127\.0\.0\.1:/)
      }))

    it.effect(`${proxy}: events arrive while the stream is open`, () =>
      Effect.gen(function*() {
        const { upstream } = yield* Front
        const events = yield* makeEventStream()
        yield* upstream.respondWith(events.handler)
        const response = yield* send(proxy, {
          path: "/mcp",
          headers: { authorization, accept: "text/event-stream" }
        })
        assert.strictEqual(response.statusCode, 200)
        yield* events.write("data: 1\n\n")
        assert.include(yield* chunkOf(response), "data: 1")
        yield* events.write("data: 2\n\n")
        assert.include(yield* chunkOf(response), "data: 2")
        response.destroy()
        yield* upstream.reset
      }))

    it.effect(`${proxy}: a long message reaches the MCP server`, () =>
      Effect.gen(function*() {
        const { upstream } = yield* Front
        const text = "x".repeat(2_000_000)
        const body = JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "tools/call",
          params: { name: "a", arguments: { text } }
        })
        const headers = { authorization, "content-type": "application/json", accept: "application/json" }
        const response = yield* send(proxy, { path: "/mcp", method: "POST", headers, body })
        assert.strictEqual(response.statusCode, 200)
        yield* textOf(response)
        assert.strictEqual(upstream.requests().at(-1)?.received().length, body.length)
        yield* upstream.reset
      }))
  }
})
