/** Tests for only the component: its settings, its crypto, and keys that outlive instances. */
import { componentWit } from "@bytecodealliance/jco"
import { assert, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"
import { gzipSync } from "node:zlib"
import { imagesOf } from "../../src/build/spin/denseImage.mjs"
import { jwsAlgorithms } from "../../src/config/GatewaySettings.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { ping } from "../fixtures/messages.ts"
import { hang } from "../support/upstreamResponses.ts"
import { componentGateway, type Variables } from "./support/BothGateways.ts"
import { builtAgain, builtWasm } from "./support/builtComponent.ts"
import { ComponentHost } from "./support/ComponentHost.ts"

const bearer = (token: string) => `Authorization: Bearer ${token}`

const issuerVariables = (issuer: TestIssuer["Service"]) => (gateway: string): Variables => ({
  auth_gateway_url: gateway,
  auth_provider_type: "oidc",
  auth_provider_issuer: issuer.issuer,
  auth_provider_jwks_uri: issuer.jwksUri,
  auth_provider_audience: "mcp-api",
  mcp_jwt_algorithm: jwsAlgorithms.join(",")
})

const introspection = (issuer: TestIssuer["Service"]) => (gateway: string): Variables => ({
  mcp_gateway_url: gateway,
  mcp_provider_type: "introspection",
  mcp_jwt_issuer: issuer.issuer,
  mcp_jwt_audience: "mcp-api",
  mcp_introspection_url: issuer.introspectionEndpoint,
  mcp_client_id: issuer.client.id,
  mcp_client_secret: issuer.client.secret
})

const jwksPath = (issuer: TestIssuer["Service"]) => new URL(issuer.jwksUri).pathname

layer(ComponentHost.layer, { excludeTestServices: true, timeout: "3 minutes" })("Component", (it) => {
  it.effect("SPIN-CONFIG-01 MUST respond 500 server_error while its variables are wrong, and log why", () =>
    Effect.gen(function*() {
      const { exchange, host } = yield* componentGateway(() => ({
        mcp_provider_type: "oidc",
        mcp_jwt_isuer: "https://issuer.example",
        mcp_gateway_url: "secret-value"
      }))
      const origin = "Origin: https://app.example"
      for (
        const request of [
          { lines: [origin] },
          { lines: [origin, bearer("dev-token")], body: ping },
          { lines: [origin], target: "/.well-known/oauth-protected-resource" }
        ]
      ) {
        const response = yield* exchange(request)
        assert.strictEqual(response.status, 500)
        assert.deepStrictEqual(JSON.parse(response.text), {
          error: "server_error",
          error_description: "Internal server error"
        })
        assert.deepStrictEqual(response.headers["access-control-allow-origin"], ["*"])
        assert.deepStrictEqual(response.headers["cache-control"], ["no-store"])
        assert.isUndefined(response.forwarded)
      }
      const preflight = yield* exchange({ method: "OPTIONS", lines: [origin] })
      assert.strictEqual(preflight.status, 204)
      assert.deepStrictEqual(preflight.headers["access-control-allow-methods"], ["GET, POST, PUT, DELETE, OPTIONS"])
      const log = host.logged()
      for (const name of ["mcp_jwt_isuer", "Did you mean MCP_JWT_ISSUER?", "MCP_SERVER_URL"]) assert.include(log, name)
      assert.notInclude(log, "secret-value")
    }))

  it.effect("SPIN-CONFIG-02 MUST reject a Unix socket as the MCP server, which no component can reach", () =>
    Effect.gen(function*() {
      const { exchange, host } = yield* componentGateway(() => ({
        mcp_static_tokens: "dev-token:dev-client:dev-user:read",
        mcp_gateway_url: "http+unix://%2Frun%2Fmcp.sock/mcp"
      }))
      const response = yield* exchange({ lines: [bearer("dev-token")], body: ping })
      assert.strictEqual(response.status, 500)
      assert.include(response.text, "server_error")
      assert.include(host.logged(), "MCP_SERVER_URL")
    }))

  it.effect(
    "SPIN-CRYPTO-08 MUST verify every algorithm in the component, and reject a changed signature",
    () =>
      Effect.gen(function*() {
        const issuer = yield* TestIssuer.make({ audience: "mcp-api", algorithms: jwsAlgorithms, keys: "reused" })
        // Generating the keys takes longer than the gateway waits for them.
        yield* issuer.jwks
        const { exchange } = yield* componentGateway(issuerVariables(issuer))
        for (const algorithm of jwsAlgorithms) {
          const token = yield* issuer.sign({ key: algorithm })
          const good = yield* exchange({ lines: [bearer(token)], body: ping })
          assert.strictEqual(good.status, 200, algorithm)
          const at = token.lastIndexOf(".") + 11
          const changed = `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`
          const bad = yield* exchange({ lines: [bearer(changed)], body: ping })
          assert.strictEqual(bad.status, 401, algorithm)
          assert.include(bad.text, "Invalid signature", algorithm)
        }
      }),
    60_000
  )

  it.effect(
    "SPIN-KEYS-01 MUST fetch the key set once for 200 requests, each in an instance of its own",
    () =>
      Effect.gen(function*() {
        const issuer = yield* TestIssuer.make({ audience: "mcp-api", keys: "reused" })
        const { exchange, host } = yield* componentGateway(issuerVariables(issuer))
        const token = yield* issuer.sign()
        for (let count = 0; count < 200; count++) {
          assert.strictEqual((yield* exchange({ lines: [bearer(token)], body: ping })).status, 200)
        }
        assert.strictEqual(yield* issuer.hits(jwksPath(issuer)), 1)
        assert.notInclude(host.logged(), "key-value store")
      }),
    180_000
  )

  for (const store of ["denied", "failing"] as const) {
    it.effect(`SPIN-KEYS-02 MUST verify although the store is ${store}, and log that`, () =>
      Effect.gen(function*() {
        const issuer = yield* TestIssuer.make({ audience: "mcp-api", keys: "reused" })
        const { exchange, host } = yield* componentGateway(issuerVariables(issuer), store)
        const token = yield* issuer.sign()
        for (let count = 0; count < 3; count++) {
          assert.strictEqual((yield* exchange({ lines: [bearer(token)], body: ping })).status, 200)
        }
        assert.strictEqual(yield* issuer.hits(jwksPath(issuer)), 3)
        assert.include(host.logged(), "key-value store")
      }))
  }

  it.effect("SPIN-KEYS-03 MUST NOT fetch keys for a request without a token of the provider", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "mcp-api", keys: "reused" })
      const { exchange } = yield* componentGateway(issuerVariables(issuer), "denied")
      yield* exchange({})
      yield* exchange({ target: "/.well-known/oauth-protected-resource" })
      yield* exchange({ method: "OPTIONS" })
      yield* exchange({ lines: [bearer("garbage")], body: ping })
      assert.deepStrictEqual(yield* issuer.requests(), [])
    }))

  it.effect("SPIN-KEYS-12 MUST follow a rotation, and reject a verified token whose key is no longer published", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "mcp-api", keys: "reused" })
      const { exchange, host } = yield* componentGateway(issuerVariables(issuer))
      const old = { lines: [bearer(yield* issuer.sign())], body: ping }
      for (let count = 0; count < 2; count++) assert.strictEqual((yield* exchange(old)).status, 200)
      const { kid } = yield* issuer.key()
      const rotated = yield* issuer.rotate()
      const next = { lines: [bearer(yield* issuer.sign({ key: rotated }))], body: ping }
      for (let count = 0; count < 2; count++) assert.strictEqual((yield* exchange(next)).status, 200)
      assert.strictEqual(yield* issuer.hits(jwksPath(issuer)), 2)
      assert.strictEqual((yield* exchange(old)).status, 200)
      yield* issuer.removeKey(kid)
      yield* host.age(301)
      assert.strictEqual((yield* exchange(next)).status, 200)
      const rejected = yield* exchange(old)
      assert.strictEqual(rejected.status, 401)
      assert.include(rejected.text, "Unknown signing key")
    }))

  it.effect("SPIN-KEYS-13 MUST serve with stale keys for an hour while the provider is down, and no longer", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "mcp-api", keys: "reused" })
      const { exchange, host } = yield* componentGateway(issuerVariables(issuer))
      const known = { lines: [bearer(yield* issuer.sign())], body: ping }
      const unknown = { lines: [bearer(yield* issuer.sign({ claims: { jti: "another" } }))], body: ping }
      assert.strictEqual((yield* exchange(known)).status, 200)
      yield* issuer.misbehave(jwksPath(issuer), Misbehaviour.Respond({ status: 503 }), Infinity)
      yield* host.age(301)
      for (const request of [known, unknown, known]) assert.strictEqual((yield* exchange(request)).status, 200)
      assert.strictEqual(yield* issuer.hits(jwksPath(issuer)), 2)
      yield* host.age(3600)
      for (const request of [known, unknown]) assert.strictEqual((yield* exchange(request)).status, 500)
      yield* issuer.behave(jwksPath(issuer))
      yield* host.age(11)
      assert.strictEqual((yield* exchange(known)).status, 200)
    }))

  it.effect("SPIN-VERDICT-14 MUST NOT verify a known token again, nor use another configuration's verdict", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "mcp-api", keys: "reused" })
      const { exchange, given, host } = yield* componentGateway(issuerVariables(issuer))
      const request = { lines: [bearer(yield* issuer.sign())], body: ping }
      for (let count = 0; count < 2; count++) assert.strictEqual((yield* exchange(request)).status, 200)
      const stored = yield* host.stored
      assert.lengthOf(stored.filter((name) => name.startsWith("verdict:")), 1)
      yield* host.reconfigure({ ...given, auth_provider_audience: "another" })
      assert.strictEqual((yield* exchange(request)).status, 401)
      yield* host.reconfigure({ ...given, mcp_required_scopes: "admin" })
      assert.strictEqual((yield* exchange(request)).status, 403)
      yield* host.reconfigure(given)
      assert.strictEqual((yield* exchange(request)).status, 200)
    }))

  it.effect("SPIN-VERDICT-12 MUST ask about an opaque token once, and not again in the next instance", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "mcp-api" })
      const { exchange, host } = yield* componentGateway(introspection(issuer))
      const token = yield* issuer.issueOpaque()
      for (let count = 0; count < 3; count++) {
        const { forwarded, status } = yield* exchange({ lines: [bearer(token)], body: ping })
        assert.strictEqual(status, 200)
        assert.deepStrictEqual(forwarded?.headers["x-auth-user-id"], ["user-1"])
      }
      assert.strictEqual(yield* issuer.hits(new URL(issuer.introspectionEndpoint).pathname), 1)
      assert.match((yield* host.stored).join(), /^verdict:[\w+/]{2}$/)
    }))

  it.effect("SPIN-VERDICT-13 MUST keep nothing about tokens where the operator does not want that", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "mcp-api", keys: "reused" })
      const unwanted = { mcp_store_verdicts: "false" }
      const opaque = yield* componentGateway((gateway) => ({ ...introspection(issuer)(gateway), ...unwanted }))
      const token = yield* issuer.issueOpaque()
      for (let count = 0; count < 3; count++) {
        assert.strictEqual((yield* opaque.exchange({ lines: [bearer(token)], body: ping })).status, 200)
      }
      assert.strictEqual(yield* issuer.hits(new URL(issuer.introspectionEndpoint).pathname), 3)
      assert.deepStrictEqual(yield* opaque.host.stored, [])

      const signed = { lines: [bearer(yield* issuer.sign())], body: ping }
      const kept = yield* componentGateway(issuerVariables(issuer))
      assert.strictEqual((yield* kept.exchange(signed)).status, 200)
      assert.match((yield* kept.host.stored).join(), /verdict:/)
      const jwt = yield* componentGateway((gateway) => ({ ...issuerVariables(issuer)(gateway), ...unwanted }))
      assert.strictEqual((yield* jwt.exchange(signed)).status, 200)
      assert.deepStrictEqual(yield* jwt.host.stored, [`jwks:${issuer.jwksUri}`])
    }))

  it.effect("SPIN-OUTAGE-01 MUST respond during outages of others, and recover", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "mcp-api", keys: "reused" })
      yield* issuer.jwks
      const { exchange, given, host, upstream } = yield* componentGateway((gateway) => ({
        ...issuerVariables(issuer)(gateway),
        mcp_upstream_timeout: "1"
      }))
      const request = { lines: [bearer(yield* issuer.sign())], body: ping }
      yield* issuer.misbehave(jwksPath(issuer), Misbehaviour.Hang())
      assert.strictEqual((yield* exchange(request)).status, 500)
      // The pause after the failure shows that the next instance knows of it.
      const rejected = yield* exchange(request)
      assert.strictEqual(rejected.status, 500)
      assert.deepStrictEqual(rejected.headers["retry-after"], ["10"])
      assert.strictEqual(yield* issuer.hits(jwksPath(issuer)), 1)
      yield* host.configure(given)
      assert.strictEqual((yield* exchange(request)).status, 200)
      yield* upstream.respondWith(hang)
      assert.strictEqual((yield* exchange(request)).status, 504)
      yield* upstream.reset
      assert.strictEqual((yield* exchange(request)).status, 200)
    }))

  it.effect("SPIN-IMAGE-01 MUST start with a memory that hosts map instead of copying it", () =>
    Effect.gen(function*() {
      const path = yield* builtWasm
      const images = imagesOf(yield* Effect.promise(() => readFile(path)))
      assert.isNotEmpty(images)
      for (const image of images) assert.isTrue(image.isDense, JSON.stringify(image))
    }))

  it.effect("SPIN-IMAGE-10 MUST be the same bytes when the same source is built again, in another directory and later", () =>
    Effect.gen(function*() {
      const path = yield* builtWasm
      const built = yield* Effect.promise(() => readFile(path))
      assert.isTrue(built.equals(yield* builtAgain))
    }))

  it.effect("SPIN-IMAGE-11 MUST have the clock and the randomness of its host, and not those of the build", () =>
    Effect.gen(function*() {
      const { exchange, host } = yield* componentGateway((gateway) => ({
        mcp_gateway_url: gateway,
        mcp_static_tokens: "dev-token:dev-client:dev-user:read"
      }))
      // Logged times have no fraction of a millisecond, so they may seem to be a little before.
      const earliest = DateTime.formatIso(DateTime.makeUnsafe((yield* Clock.currentTimeMillis) - 1000))
      yield* exchange({ body: ping })
      yield* exchange({ body: ping })
      const logged = (name: string) =>
        [...host.logged().matchAll(new RegExp(`"${name}":"([^"]+)"`, "g"))].map(([, value = ""]) => value)
      assert.strictEqual(new Set(logged("trace_id")).size, 2, host.logged())
      const times = logged("time")
      assert.lengthOf(times, 2)
      for (const time of times) assert.isTrue(time >= earliest, time)
    }))

  it.effect("SPIN-WIT-01 MUST import nothing but WASI of one version, the store and the variables", () =>
    Effect.gen(function*() {
      const path = yield* builtWasm
      const component = yield* Effect.promise(() => readFile(path))
      // The responses of a registry. Zeros between the parts of the memory image make the file itself longer.
      assert.isAtMost(gzipSync(component).length, 8 * 2 ** 20)
      assert.isAtMost(component.length, 27 * 2 ** 20)
      const wit = yield* Effect.promise(() => componentWit(component))
      const imported = [...wit.matchAll(/^\s*import ([a-z:/-]+)@(\S+);$/gm)].map(([, name, version]) => [name, version])
      const own = imported.filter(([name]) => /^wasi:(?:keyvalue|config)\//.test(name ?? ""))
      assert.deepStrictEqual(own, [
        ["wasi:keyvalue/store", "0.2.0-draft2"],
        ["wasi:keyvalue/atomics", "0.2.0-draft2"],
        ["wasi:config/store", "0.2.0-draft-2024-09-27"]
      ])
      for (const [name = "", version] of imported.filter((entry) => !own.includes(entry))) {
        assert.match(name, /^wasi:(?:cli|clocks|filesystem|http|io|random)\//)
        assert.strictEqual(version, "0.2.3", name)
      }
      assert.deepStrictEqual([...wit.matchAll(/^\s*export (\S+);$/gm)].map(([, name]) => name), [
        "wasi:http/incoming-handler@0.2.3"
      ])
    }))

  it.effect("seals and opens what the facade sends through browsers and clients, with the engine's own crypto", () =>
    Effect.gen(function*() {
      const back = "https://client.example/callback"
      const { exchange } = yield* componentGateway((gateway) => ({
        mcp_gateway_url: gateway,
        mcp_public_url: "https://mcp.example.com",
        mcp_session_key: "k".repeat(32),
        mcp_jwt_issuer: "https://issuer.example",
        mcp_jwt_audience: "notes",
        mcp_facade: JSON.stringify({
          client_id: "gateway",
          client_secret: "s3cret",
          redirect_uris: back,
          trusted_clients: back,
          authorize_endpoint: "https://issuer.example/authorize",
          token_endpoint: "https://issuer.example/token"
        })
      }))
      const metadata = JSON.parse((yield* exchange({ target: "/.well-known/oauth-authorization-server" })).text)
      assert.strictEqual(metadata.issuer, "https://mcp.example.com")

      const asked = new URLSearchParams({
        response_type: "code",
        client_id: "gateway",
        redirect_uri: back,
        code_challenge: "h".repeat(43),
        code_challenge_method: "S256"
      })
      const started = yield* exchange({ target: `/authorize?${asked}` })
      assert.strictEqual(started.status, 302)
      const [cookie = ""] = started.headers["set-cookie"]?.[0]?.split(";") ?? []
      const state = new URL(started.headers["location"]?.[0] ?? "about:blank").searchParams.get("state") ?? ""
      const callback = (state: string, lines: ReadonlyArray<string>) =>
        exchange({ target: `/oauth/callback?${new URLSearchParams({ code: "provider-code", state })}`, lines })
      assert.strictEqual((yield* callback(state, [])).status, 400)
      assert.strictEqual((yield* callback(`${state}A`, [`Cookie: ${cookie}`])).status, 400)
      const ended = yield* callback(state, [`Cookie: ${cookie}`])
      assert.strictEqual(ended.status, 302)
      const code = new URL(ended.headers["location"]?.[0] ?? "about:blank").searchParams.get("code") ?? ""
      assert.isAtLeast(code.length, 100)
    }))
})
