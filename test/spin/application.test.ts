/** The shipped manifests with the built component: what an operator sets takes effect, and nothing that they do not allow does. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { ping } from "../fixtures/messages.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { ComponentHost } from "./support/ComponentHost.ts"
import { readManifest } from "./support/manifest.ts"
import { runManifest } from "./support/manifestHost.ts"

const manifestOf = (name: string) =>
  readManifest(readFileSync(new URL(`../../src/spin/${name}`, import.meta.url), "utf8"))

const id = "mcp-authorizer"

const development = { mcp_provider_type: "static", mcp_static_tokens: "dev-token:dev-client:dev-user:read" }

/** Sends a request as a proxy in front would, and returns the status and what the gateway names as its own metadata. */
const send = Effect.fnUntraced(function*(origin: string, token?: string) {
  const { responses: [response] } = yield* rawExchange(
    origin,
    rawRequest([
      "POST /mcp HTTP/1.1",
      "Host: gateway.example",
      "X-Forwarded-Host: mcp.example.com",
      "X-Forwarded-Proto: https",
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      "Content-Type: application/json",
      `Content-Length: ${ping.length}`
    ], ping),
    { idleMillis: 150_000 }
  )
  if (response === undefined) return assert.fail("no response")
  const [, metadata = ""] = /resource_metadata="([^"]+)"/.exec(response.headerLines.join("\n")) ?? []
  return { status: response.status, metadata }
})

layer(ComponentHost.layer, { excludeTestServices: true, timeout: "3 minutes" })("the shipped manifests", (it) => {
  it.effect("SPIN-MANIFEST-06 MUST serve an MCP server of this machine with what the README sets", () =>
    Effect.gen(function*() {
      const host = yield* ComponentHost
      const upstream = yield* makeRecordingUpstream
      yield* runManifest(host, manifestOf("spin.toml"), id, {
        ...development,
        mcp_server_url: `${upstream.origin}/mcp`
      })
      assert.strictEqual((yield* send(host.origin)).status, 401)
      assert.strictEqual((yield* send(host.origin, "dev-token")).status, 200)
      assert.strictEqual(upstream.requests()[0]?.url, "/mcp")
      assert.notInclude(host.logged(), "key-value store")
    }))

  it.effect("SPIN-MANIFEST-07 MUST give the component every setting, and nothing that they do not declare", () =>
    Effect.gen(function*() {
      const host = yield* ComponentHost
      const upstream = yield* makeRecordingUpstream
      const given = { ...development, mcp_server_url: `${upstream.origin}/mcp` }
      const metadataWith = Effect.fnUntraced(function*(more: Readonly<Record<string, string>>) {
        yield* runManifest(host, manifestOf("spin.toml"), id, { ...given, ...more })
        return new URL((yield* send(host.origin)).metadata).origin
      })
      assert.strictEqual(yield* metadataWith({ mcp_trusted_proxies: "127.0.0.0/8" }), "https://mcp.example.com")
      assert.strictEqual(yield* metadataWith({}), "https://gateway.example")
      // Spin does not say so either.
      assert.strictEqual(yield* metadataWith({ mcp_trusted_proxys: "127.0.0.0/8" }), "https://gateway.example")
      assert.notInclude(host.logged(), "mcp_trusted_proxys")
    }))

  it.effect("SPIN-MANIFEST-08 MUST keep the component of a chained application from hosts of this machine", () =>
    Effect.gen(function*() {
      const host = yield* ComponentHost
      const upstream = yield* makeRecordingUpstream
      const given = { ...development, mcp_server_url: `${upstream.origin}/mcp` }
      yield* runManifest(host, manifestOf("chained.toml"), id, given)
      // Whether the engine responds or ends depends on which of the two comes first.
      yield* Effect.exit(send(host.origin, "dev-token"))
      assert.deepStrictEqual(upstream.requests(), [])
      assert.include(host.logged(), "disallowed destination")
    }))
})
