/** Several MCP servers behind one gateway, on real sockets: each its own protected resource. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { HttpApp } from "../../src/http/HttpApp.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { ping } from "../fixtures/messages.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { startGateway } from "../support/gateway.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import type { UpstreamHandler } from "../support/RecordedRequest.ts"
import { publicOrigin, severalServers } from "../support/severalServers.ts"

const wellKnown = "/.well-known/oauth-protected-resource"

const entries = [
  { name: "notes", path: "/notes/mcp", providers: ["one"], required_scopes: ["notes"] },
  { name: "deep", path: "/notes/mcp/deep", error_style: "jsonrpc" },
  {
    name: "search",
    path: "/search/mcp",
    providers: ["one", "two"],
    error_style: "rfc6750",
    scopes_supported: ["find"]
  },
  { name: "files", path: "/mcp", host: "files.example.com" }
]

interface Asked {
  readonly host?: string
  readonly token?: string
  readonly method?: string
  readonly fields?: ReadonlyArray<string>
}

/** Sends a request as bytes, to a host that need not be that of the connection. */
const askAt = (origin: string) => (target: string, { fields = [], host, method = "POST", token }: Asked = {}) => {
  const body = method === "POST" ? ping : ""
  return Effect.flatMap(
    rawExchange(
      origin,
      rawRequest([
        `${method} ${target} HTTP/1.1`,
        `Host: ${host ?? "mcp.example.com"}`,
        ...(method === "POST" ? ["Content-Type: application/json", `Content-Length: ${body.length}`] : []),
        ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
        ...fields
      ], body)
    ),
    ({ responses: [reply] }) => reply === undefined ? Effect.die("no response") : Effect.succeed(reply)
  )
}

/** The gateway on both of its drivers, in front of the same servers. */
class Gateways extends Context.Service<Gateways>()("test/http/servers/Gateways", {
  make: Effect.gen(function*() {
    const one = yield* TestIssuer.make({ algorithms: ["ES256"] })
    const two = yield* TestIssuer.make({ algorithms: ["ES256"] })
    const { servers, settings } = yield* severalServers(entries, {
      providers: [
        { type: "oidc", name: "one", issuer: one.issuer, algorithms: "ES256", audience: "auto" },
        { type: "oidc", name: "two", issuer: two.issuer, algorithms: "ES256", audience: "auto" }
      ]
    })
    const node = (yield* startGateway(settings)).origin
    const effect = yield* startEffectGateway(settings, Logger.layer([]))

    const reset = Effect.forEach(Object.values(servers), ({ upstream }) => upstream.reset, { discard: true })
    /** Which servers got a request, and for what target, since the last reset. */
    const reached = () =>
      Object.entries(servers).flatMap(([name, { upstream }]) => upstream.requests().map(({ url }) => `${name} ${url}`))
    const resourceOf = (name: string) => {
      const server = servers[name]?.settings
      return `${server?.publicUrl}${server?.path}`
    }
    const signFor = (name: string, issuer = one) => issuer.sign({ claims: { aud: resourceOf(name), scope: "notes" } })
    return {
      one,
      two,
      node,
      effect,
      drivers: [askAt(node), askAt(effect)],
      servers,
      reached,
      reset,
      resourceOf,
      signFor,
      settings
    }
  })
}) {
  static readonly layer = Layer.effect(Gateways, Gateways.make)
}

layer(Gateways.layer, { excludeTestServices: true })("several servers", (it) => {
  it.effect("SRV-01 a request goes to the server with the longest path that ends at a segment, and fits its host", () =>
    Effect.gen(function*() {
      const { drivers, reached, reset, signFor } = yield* Gateways
      const rows = [
        ["notes", "/notes/mcp", undefined, "/internal"],
        ["notes", "/notes/mcp/", undefined, "/internal/"],
        ["notes", "/notes/mcp/deeper?x=1", undefined, "/internal/deeper?x=1"],
        ["notes", "/notes/mcp/x/deep", undefined, "/internal/x/deep"],
        ["deep", "/notes/mcp/deep", undefined, "/internal"],
        ["deep", "/notes/mcp/deep/x", undefined, "/internal/x"],
        ["search", "/search/mcp?q=/notes/mcp", undefined, "/internal?q=/notes/mcp"],
        ["search", "/search/mcp", "other.example", "/internal"],
        ["files", "/mcp", "files.example.com", "/internal"],
        ["files", "/mcp/x", "FILES.example.com", "/internal/x"],
        ["files", "/mcp", "files.example.com.", "/internal"],
        ["files", "/mcp", "files.example.com:8443", "/internal"],
        ["notes", "/notes/mcp", "files.example.com", "/internal"]
      ] as const
      for (const ask of drivers) {
        for (const [name, target, host, url] of rows) {
          yield* reset
          const { status } = yield* ask(target, { ...(host && { host }), token: yield* signFor(name) })
          assert.strictEqual(status, 200, `${host} ${target}`)
          assert.deepStrictEqual(reached(), [`${name} ${url}`])
        }
      }
    }))

  it.effect("SRV-02 a path that is confused, or at another host, belongs to no server, with a valid token and without one", () =>
    Effect.gen(function*() {
      const { drivers, reached, reset, signFor } = yield* Gateways
      const token = yield* signFor("notes")
      const targets = [
        "/",
        "/mcp",
        "/notes",
        "/notes/",
        "/notes/mcpx",
        "/notes/mcp.",
        "/notes/mcp;x",
        "/notes/mcp%2fdeep",
        "/notes%2Fmcp",
        "/%6eotes/mcp",
        "/Notes/mcp",
        "//notes/mcp",
        "/notes//mcp",
        "/./notes/mcp",
        "/search/../notes/mcp",
        "/search/mcp/../../notes/mcp",
        "/search/mcp/%2e%2e/%2e%2e/notes/mcp",
        "/search/mcp/..%2f..%2fnotes/mcp",
        "/notes/mcp/deep/../x",
        "/notes\\mcp",
        "/notes/mcp%00",
        "/notes/mcp%3fx",
        "/.well-known/../notes/mcp",
        "/healthz/../notes/mcp",
        `${wellKnown}/../../notes/mcp`
      ]
      for (const ask of drivers) {
        yield* reset
        for (const target of targets) {
          for (const credential of [{}, { token }]) {
            assert.strictEqual((yield* ask(target, credential)).status, 404, target)
          }
        }
        const hosts = [
          "mcp.example.com",
          "xfiles.example.com",
          "files.example.com.evil.example",
          "files.example",
          "127.0.0.1"
        ]
        for (const host of hosts) assert.strictEqual((yield* ask("/mcp", { host })).status, 404, host)
        for (
          const host of [
            "files.example.com:x",
            "files.example.com, x",
            "a@files.example.com",
            "files%2eexample.com",
            "files.example.com/"
          ]
        ) {
          for (const target of ["/mcp", "/notes/mcp"]) {
            assert.strictEqual((yield* ask(target, { host, token })).status, 400, host)
          }
        }
        const twice = yield* ask("/mcp", { fields: ["Host: files.example.com"] })
        assert.strictEqual(twice.status, 400)
        assert.deepStrictEqual(reached(), [])
      }
    }))

  it.effect("SRV-02 fields that claim another host or path are not believed", () =>
    Effect.gen(function*() {
      const { drivers, reached, reset, signFor } = yield* Gateways
      const fields = [
        "X-Forwarded-Host: files.example.com",
        "X-Original-Host: files.example.com",
        "Forwarded: host=files.example.com",
        "X-Original-URL: /search/mcp",
        "X-Rewrite-URL: /search/mcp",
        "X-Forwarded-Prefix: /search"
      ]
      for (const ask of drivers) {
        yield* reset
        for (const field of fields) {
          assert.strictEqual(
            (yield* ask("/mcp", { fields: [field], token: yield* signFor("files") })).status,
            404,
            field
          )
        }
        const absolute = yield* ask("http://files.example.com/mcp", { token: yield* signFor("files") })
        assert.strictEqual(absolute.status, 400)
        assert.deepStrictEqual(reached(), [])
        // Positive control: the same host in both places.
        const agreed = { host: "files.example.com", token: yield* signFor("files") }
        assert.strictEqual((yield* ask("http://files.example.com/mcp", agreed)).status, 200)
        assert.deepStrictEqual(reached(), ["files /internal"])
      }
    }))

  it.effect("SRV-03 a token for one server is rejected by every other, for all pairs and providers", () =>
    Effect.gen(function*() {
      const { drivers, one, reached, reset, servers, signFor, two } = yield* Gateways
      for (const ask of drivers) {
        for (const [name, { settings: { path, providers, serverHost } }] of Object.entries(servers)) {
          for (const other of Object.keys(servers)) {
            for (const [provider, issuer] of [["one", one], ["two", two]] as const) {
              yield* reset
              const accepts = providers.some((known) => known.name === provider)
              const token = yield* signFor(other, issuer)
              const { status, text } = yield* ask(path, {
                token,
                ...(serverHost === undefined ? {} : { host: serverHost })
              })
              const isGood = name === other && accepts
              assert.strictEqual(status, isGood ? 200 : 401, `${provider}'s for ${other} at ${name}: ${text}`)
              assert.lengthOf(reached(), isGood ? 1 : 0)
            }
          }
        }
      }
    }))

  it.effect("SRV-04 each server has its metadata where its path is inserted, and a challenge that names that place", () =>
    Effect.gen(function*() {
      const { drivers, one, resourceOf, servers, two } = yield* Gateways
      for (const ask of drivers) {
        for (const [name, { settings }] of Object.entries(servers)) {
          const { path, publicUrl, scopesSupported, serverHost } = settings
          const at = serverHost === undefined ? {} : { host: serverHost }
          const rejected = yield* ask(path, at)
          assert.strictEqual(rejected.status, 401)
          const { parameters } = parseChallenge(rejected.headers("www-authenticate")[0] ?? "")
          assert.strictEqual(parameters.get("resource_metadata"), `${publicUrl}${wellKnown}${path}`)
          for (const target of [`${wellKnown}${path}`, `${wellKnown}${path}/`]) {
            const found = yield* ask(target, { method: "GET", ...at })
            assert.strictEqual(found.status, 200, target)
            assert.deepStrictEqual(JSON.parse(found.text), {
              resource: resourceOf(name),
              authorization_servers: settings.providers.map(({ name }) => name === "one" ? one.issuer : two.issuer),
              bearer_methods_supported: ["header"],
              ...(scopesSupported.length === 0 ? {} : { scopes_supported: scopesSupported })
            })
          }
        }
      }
    }))

  it.effect("SRV-04 the root of a host has metadata only where the host has one server, and never those of another host", () =>
    Effect.gen(function*() {
      const { drivers, resourceOf } = yield* Gateways
      for (const ask of drivers) {
        assert.strictEqual((yield* ask(wellKnown, { method: "GET" })).status, 404)
        assert.strictEqual((yield* ask("/.well-known/oauth-authorization-server", { method: "GET" })).status, 404)
        const own = yield* ask(wellKnown, { method: "GET", host: "files.example.com" })
        assert.strictEqual(JSON.parse(own.text).resource, resourceOf("files"))
        assert.strictEqual((yield* ask(`${wellKnown}/mcp`, { method: "GET" })).status, 404)
        for (const suffix of ["/notes", "/notes/mcpx", "/notes%2Fmcp", "/notes/mcp/x", "/../notes/mcp"]) {
          assert.strictEqual((yield* ask(`${wellKnown}${suffix}`, { method: "GET" })).status, 404, suffix)
        }
      }
    }))

  it.effect("SRV-05 each server has its own scopes and its own style of errors", () =>
    Effect.gen(function*() {
      const { drivers, one, resourceOf } = yield* Gateways
      for (const ask of drivers) {
        const poor = yield* ask("/notes/mcp", {
          token: yield* one.sign({ claims: { aud: resourceOf("notes"), scope: "x" } })
        })
        assert.strictEqual(poor.status, 403)
        assert.strictEqual(parseChallenge(poor.headers("www-authenticate")[0] ?? "").parameters.get("scope"), "notes")
        const enough = { token: yield* one.sign({ claims: { aud: resourceOf("search"), scope: "x" } }) }
        assert.strictEqual((yield* ask("/search/mcp", enough)).status, 200)
        assert.strictEqual(JSON.parse((yield* ask("/notes/mcp/deep")).text).jsonrpc, "2.0")
        assert.strictEqual(JSON.parse((yield* ask("/notes/mcp")).text).error, "unauthorized")
      }
    }))

  it.effect("SRV-06 probes report on all servers, preflights get a response everywhere, unknown paths get 404", () =>
    Effect.gen(function*() {
      const { drivers } = yield* Gateways
      for (const ask of drivers) {
        for (const host of ["mcp.example.com", "files.example.com", "unknown.example"]) {
          const ready = yield* ask("/readyz", { method: "GET", host })
          assert.deepStrictEqual(JSON.parse(ready.text), {
            status: "ready",
            providers: [{ name: "one", ready: true, state: "fresh" }, { name: "two", ready: true, state: "fresh" }],
            servers: entries.map(({ name }) => ({ name, ready: true }))
          })
          assert.strictEqual((yield* ask("/healthz", { method: "GET", host })).status, 200)
          assert.strictEqual((yield* ask("/healthz", { method: "POST", host })).status, 405)
          assert.strictEqual((yield* ask("/nowhere", { method: "OPTIONS", host })).status, 204)
          assert.strictEqual((yield* ask("/notes/mcp", { method: "OPTIONS", host })).status, 204)
          assert.strictEqual((yield* ask("/nowhere", { method: "GET", host })).status, 404)
        }
      }
    }))

  it.effect("SRV-07 keys are fetched once for all servers", () =>
    Effect.gen(function*() {
      const { drivers, one, signFor } = yield* Gateways
      const before = yield* one.hits(new URL(one.jwksUri).pathname)
      const places = [["notes", "/notes/mcp"], ["search", "/search/mcp"], ["deep", "/notes/mcp/deep"]] as const
      for (const ask of drivers) {
        for (const [name, target] of places) {
          assert.strictEqual((yield* ask(target, { token: yield* signFor(name) })).status, 200)
        }
      }
      assert.strictEqual(yield* one.hits(new URL(one.jwksUri).pathname), before)
      // Once for each of the two gateways.
      assert.strictEqual(before, 2)
    }))
})

/** Begins a session of the same id at every server. */
const begins: UpstreamHandler = (_request, response) =>
  Effect.sync(() => response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "s-1" }).end("{}"))

layer(TestIssuer.layer({ algorithms: ["ES256"] }), { excludeTestServices: true })("servers behind a proxy", (it) => {
  it.effect("SRV-01 the host is what a trusted proxy reports, and its own word where several are listed", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      const { servers: { any, files }, settings } = yield* severalServers([
        { name: "any", path: "/mcp" },
        { name: "files", path: "/mcp", host: "files.example.com" }
      ], {
        providers: [{ type: "oidc", issuer: issuer.issuer, algorithms: "ES256", audience: "both" }],
        trusted_proxies: ["127.0.0.1/32"]
      })
      if (any === undefined || files === undefined) return assert.fail("no servers")
      const token = yield* issuer.sign({ claims: { aud: "both" } })
      const node = (yield* startGateway(settings)).origin
      const effect = yield* startEffectGateway(settings, Logger.layer([]))
      const rows = [
        [files, ["X-Forwarded-Host: files.example.com"]],
        [files, ["X-Original-Host: Files.Example.com:443"]],
        [files, ["X-Forwarded-Host: other.example, files.example.com"]],
        [any, ["X-Forwarded-Host: files.example.com, other.example"]],
        [any, ["Forwarded: host=files.example.com"]],
        [any, []]
      ] as const
      for (const ask of [askAt(node), askAt(effect)]) {
        for (const [server, fields] of rows) {
          yield* any.upstream.reset
          yield* files.upstream.reset
          assert.strictEqual((yield* ask("/mcp", { token, fields })).status, 200, fields.join())
          assert.lengthOf(server.upstream.requests(), 1, fields.join())
        }
      }
    }).pipe(Effect.scoped))
})

layer(TestIssuer.layer({ algorithms: ["ES256"] }), { excludeTestServices: true })("a server in trouble", (it) => {
  it.effect("SRV-08 one that hangs, and one that is down, cost the others nothing", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      const { servers, settings } = yield* severalServers([
        { name: "hangs", path: "/hangs", max_waiting: 4, upstream_timeout: 60 },
        { name: "down", path: "/down", url: "http://127.0.0.1:1/" },
        { name: "good", path: "/good" }
      ], { providers: [{ type: "oidc", issuer: issuer.issuer, algorithms: "ES256", audience: "auto" }] })
      const { good, hangs } = servers
      if (good === undefined || hangs === undefined) return assert.fail("no servers")
      yield* hangs.upstream.respondWith(() => Effect.never)
      const { origin } = yield* startGateway(settings)
      const ask = (path: string, subject: string) =>
        Effect.gen(function*() {
          const token = yield* issuer.sign({ claims: { aud: `${publicOrigin}${path}`, sub: subject } })
          const response = yield* Effect.promise((signal) =>
            fetch(`${origin}${path}`, {
              method: "POST",
              body: ping,
              headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
              signal
            })
          )
          return response.status
        })
      // More than may wait, and from several callers.
      for (let caller = 0; caller < 8; caller++) yield* Effect.forkScoped(ask("/hangs", `caller-${caller}`))
      yield* hangs.upstream.awaitRequest(3)
      for (let round = 0; round < 8; round++) {
        assert.strictEqual(yield* ask("/down", "caller-1"), 502)
        assert.strictEqual(yield* ask("/good", "caller-1"), 200)
      }
      assert.lengthOf(good.upstream.requests(), 8)
      const ready = yield* Effect.promise(() => fetch(`${origin}/readyz`))
      assert.strictEqual(ready.status, 200)
    }).pipe(Effect.scoped))
})

layer(TestIssuer.layer({ algorithms: ["ES256"] }), { excludeTestServices: true })(
  "sessions of several servers",
  (it) => {
    it.effect("SRV-10 a session of one server is unknown at another, with one token for both and one key for all", () =>
      Effect.gen(function*() {
        const issuer = yield* TestIssuer
        const { servers: { a, b }, settings } = yield* severalServers([{ name: "a", path: "/a" }, {
          name: "b",
          path: "/b"
        }], {
          providers: [{ type: "oidc", issuer: issuer.issuer, algorithms: "ES256", audience: "both" }],
          session_key: "k".repeat(32)
        })
        if (a === undefined || b === undefined) return assert.fail("no servers")
        const token = yield* issuer.sign({ claims: { aud: "both" } })
        yield* a.upstream.respondWith(begins)
        yield* b.upstream.respondWith(begins)
        const node = (yield* startGateway(settings)).origin
        const effect = yield* startEffectGateway(settings, Logger.layer([]))
        for (const ask of [askAt(node), askAt(effect)]) {
          yield* a.upstream.reset
          yield* a.upstream.respondWith(begins)
          yield* b.upstream.reset
          const [session = ""] = (yield* ask("/a", { token })).headers("mcp-session-id")
          assert.notStrictEqual(session, "")
          const fields = [`Mcp-Session-Id: ${session}`]
          assert.strictEqual((yield* ask("/b", { token, fields })).status, 404)
          assert.isEmpty(b.upstream.requests())
          // Positive control.
          assert.strictEqual((yield* ask("/a", { token, fields })).status, 200)
          assert.deepStrictEqual(a.upstream.requests()[1]?.headers("mcp-session-id"), ["s-1"])
        }
      }).pipe(Effect.scoped))
  }
)

layer(Layer.empty, { excludeTestServices: true })("the app of several servers", (it) => {
  it.effect("SRV-09 a layer for one server dies where the settings have several", () =>
    Effect.gen(function*() {
      const { settings } = yield* severalServers([{ name: "a", path: "/a" }], { auth_enabled: false })
      const { GatewayConfig } = yield* Effect.promise(() => import("../../src/config/GatewayConfig.ts"))
      const { layerVerifier } = yield* Effect.promise(() => import("../../src/embed/layers.ts"))
      const { layerFetch } = yield* Effect.promise(() => import("../../src/forward/HttpGatewayClient.ts"))
      const exit = yield* Effect.exit(Layer.build(HttpApp.layer.pipe(
        Layer.provide([layerVerifier, layerFetch]),
        Layer.provide(Layer.succeed(GatewayConfig, settings))
      )))
      assert.strictEqual(exit._tag, "Failure")
      assert.include(String(exit), "layerServers")
    }).pipe(Effect.scoped))
})
