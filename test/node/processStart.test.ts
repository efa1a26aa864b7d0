import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { startGatewayProgram, staticSettings } from "./support/GatewayProgram.ts"
import { closedPort, forwardPort, takenPort } from "./support/ports.ts"
import { runProgram } from "./support/Program.ts"
import { temporaryFile } from "./support/scratch.ts"
import { sh } from "./support/shell.ts"

const get = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.promise(async () => {
    const response = await fetch(url, { headers })
    return { status: response.status, headers: response.headers, body: await response.json() }
  })

describe.concurrent("starting", { timeout: 60_000 }, () => {
  it.live("starts while the provider is down, reports that in /readyz, and recovers", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "https://mcp.example/mcp" })
      const upstream = yield* makeRecordingUpstream
      const port = yield* closedPort
      const { origin } = yield* startGatewayProgram({
        env: {
          MCP_SERVER_URL: upstream.origin,
          MCP_PROVIDER_TYPE: "oidc",
          MCP_JWT_ISSUER: issuer.issuer,
          MCP_JWT_AUDIENCE: "https://mcp.example/mcp",
          MCP_JWT_JWKS_URI: `http://127.0.0.1:${port}/oauth2/jwks`
        }
      })
      const authorization = `Bearer ${yield* issuer.sign()}`

      assert.strictEqual((yield* get(`${origin}/healthz`)).status, 200)
      const down = yield* get(`${origin}/readyz`)
      assert.strictEqual(down.status, 503)
      assert.strictEqual(down.body.status, "unavailable")
      assert.deepInclude(down.body.providers[0], { name: "oidc", ready: false })
      assert.match(down.headers.get("retry-after") ?? "", /^[1-9]\d*$/)
      const rejected = yield* get(`${origin}/mcp`, { authorization })
      assert.deepStrictEqual([rejected.status, rejected.body.error], [500, "server_error"])
      assert.match(rejected.headers.get("retry-after") ?? "", /^[1-9]\d*$/)
      assert.isEmpty(upstream.requests())

      yield* forwardPort(port, Number(new URL(issuer.issuer).port))
      const ready = yield* Effect.repeat(get(`${origin}/readyz`), {
        schedule: Schedule.spaced("250 millis"),
        until: ({ status }) => status === 200
      })
      assert.strictEqual(ready.body.status, "ready")
      assert.deepInclude(ready.body.providers[0], { name: "oidc", ready: true })
      yield* sh(`curl -sS -o /dev/null -H 'Authorization: ${authorization}' ${origin}/mcp`)
      assert.lengthOf(upstream.requests(), 1)
    }))

  it.live("says clearly that the port is in use", () =>
    Effect.gen(function*() {
      const port = yield* takenPort
      const env = { ...staticSettings("http://127.0.0.1:9"), PORT: String(port) }
      const { code, stderr, stdout } = yield* runProgram({ env })
      assert.deepStrictEqual([code, stdout], [1, ""])
      assert.strictEqual(stderr, `Cannot listen on 127.0.0.1:${port} (EADDRINUSE). Set HOST or PORT.\n`)
    }))

  it.live("says clearly that the host is not this machine's", () =>
    Effect.gen(function*() {
      // RFC 5737: an address that is never assigned.
      const env = { ...staticSettings("http://127.0.0.1:9"), HOST: "192.0.2.1", PORT: "0" }
      const { code, stderr, stdout } = yield* runProgram({ env })
      assert.deepStrictEqual([code, stdout], [1, ""])
      assert.strictEqual(stderr, "Cannot listen on 192.0.2.1:0 (EADDRNOTAVAIL). Set HOST or PORT.\n")
    }))

  it.live("AuthKit Example: takes its .env.local, and its curl line works", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const file = yield* temporaryFile(
        ".env.local",
        "MCP_PROVIDER_TYPE=static\nMCP_STATIC_TOKENS=\"dev-token:dev-client:dev-user:read,write\"\n"
      )
      const { origin } = yield* startGatewayProgram({
        nodeArgs: [`--env-file=${file}`],
        env: { MCP_SERVER_URL: `${upstream.origin}/mcp-internal` }
      })
      const url = `http://localhost:${new URL(origin).port}/mcp`
      const reply = yield* sh(`curl -sS -H "Authorization: Bearer dev-token" \\
     -H "Content-Type: application/json" \\
     -d '{"jsonrpc":"2.0","method":"tools/list","id":1}' \\
     ${url}`)
      assert.deepStrictEqual(JSON.parse(reply).result.tools.map(({ name }: { name: string }) => name), ["echo"])
      const seen = yield* upstream.awaitRequest()
      assert.strictEqual(seen.url, "/mcp-internal")
      assert.deepStrictEqual(seen.headers("x-auth-user-id"), ["dev-user"])
      assert.deepStrictEqual(seen.headers("x-auth-scopes"), ["read write"])
      assert.isEmpty(seen.headers("authorization"))

      const challenge = yield* sh(`curl -sSi ${url}`)
      assert.match(challenge, /^HTTP\/1\.1 401 /)
      assert.include(
        challenge.toLowerCase(),
        "www-authenticate: bearer error=\"unauthorized\", error_description=\"missing authorization header\", " +
          `resource_metadata="${new URL(url).origin}/.well-known/oauth-protected-resource"\r\n`
      )
    }))

  it.live("warns at every start that certificates are not verified", () =>
    Effect.gen(function*() {
      const env = { ...staticSettings("http://127.0.0.1:9/mcp", "x".repeat(32)), NODE_TLS_REJECT_UNAUTHORIZED: "0" }
      const { log } = yield* startGatewayProgram({ env })
      assert.deepStrictEqual(log().map(({ level }) => level), ["WARN", "INFO"])
      assert.match(String(log()[0]?.message), /^NODE_TLS_REJECT_UNAUTHORIZED=0 lets anyone pose/)
    }))

  it.live("logs where it listens, what is behind it, and what is unwise", () =>
    Effect.gen(function*() {
      const { log, origin } = yield* startGatewayProgram({ env: staticSettings("http://127.0.0.1:9/mcp", "short") })
      assert.deepStrictEqual(log().map(({ level }) => level), ["WARN", "INFO"])
      assert.deepStrictEqual(log()[1]?.annotations, {
        url: origin,
        mcp_path: "/mcp",
        upstream: "http://127.0.0.1:9/mcp",
        providers: ["static (static)"]
      })
    }))
})
