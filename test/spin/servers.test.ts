/** Several MCP servers behind the component, whose instances build only what their requests need. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { Bucket, Host } from "../../src/spin/Host.ts"
import { makeHandler } from "../../src/spin/SpinGateway.ts"
import { ping } from "../fixtures/messages.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"

const makeStore = (): Bucket => {
  const entries = new Map<string, Uint8Array>()
  return {
    get: (key) => entries.get(key),
    set: (key, value) => void entries.set(key, value),
    delete: (key) => void entries.delete(key)
  }
}

layer(TestIssuer.layer({ algorithms: ["RS256"] }), { excludeTestServices: true })("several servers on Spin", (it) => {
  it.effect("SRV-01, SRV-03, SRV-04, SRV-06 are told apart by host and path, with verdicts from the store and without", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      const entries = [
        { name: "notes", path: "/notes/mcp", place: "https://mcp.example.com/notes/mcp" },
        { name: "search", path: "/search/mcp", place: "https://mcp.example.com/search/mcp" },
        { name: "files", path: "/mcp", host: "files.example.com", place: "https://files.example.com/mcp" }
      ]
      const upstreams = yield* Effect.forEach(entries, () => makeRecordingUpstream)
      const variables = {
        mcp_public_url: "https://mcp.example.com",
        mcp_providers: JSON.stringify([{ type: "oidc", issuer: issuer.issuer, audience: "auto" }]),
        mcp_servers: JSON.stringify(
          entries.map(({ host, name, path }, index) => ({
            host,
            name,
            path,
            url: `${upstreams[index]?.origin}/internal`
          }))
        ),
        mcp_log_level: "none"
      }
      const store = makeStore()
      const host: Host = {
        variables: () => Object.entries(variables),
        fetch: globalThis.fetch,
        openStore: () => store,
        peerAddress: () => undefined
      }
      // Each request has an instance of its own, as on Spin.
      const send = (url: string, init: RequestInit = {}) =>
        Effect.promise(async () => {
          const response = await makeHandler(host)(new Request(url, init))
          return { status: response.status, headers: response.headers, text: await response.text() }
        })
      const call = (url: string, token?: string) =>
        send(url, {
          method: "POST",
          body: ping,
          headers: {
            "content-type": "application/json",
            "content-length": String(ping.length),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
          }
        })

      for (const { name, place } of entries) {
        const token = yield* issuer.sign({ claims: { aud: place } })
        // The second time the token is known, and the response is a direct one.
        for (const _ of ["verified", "known"]) {
          for (const [index, other] of entries.entries()) {
            const upstream = upstreams[index]
            if (upstream === undefined) return assert.fail("no server")
            yield* upstream.reset
            const { status } = yield* call(other.place, token)
            assert.strictEqual(status, other.name === name ? 200 : 401, `${name}'s token at ${other.name}`)
            assert.lengthOf(upstream.requests(), other.name === name ? 1 : 0)
          }
        }
        const rejected = yield* call(place)
        const { origin, pathname } = new URL(place)
        const metadata = `${origin}/.well-known/oauth-protected-resource${pathname}`
        assert.include(rejected.headers.get("www-authenticate"), `resource_metadata="${metadata}"`)
        assert.strictEqual(JSON.parse((yield* send(metadata)).text).resource, place)
        assert.strictEqual((yield* call(`${origin}/notes/mcpx`, token)).status, 404)
      }
      assert.strictEqual((yield* call("https://mcp.example.com/mcp")).status, 404)
      assert.strictEqual((yield* send("https://mcp.example.com/.well-known/oauth-protected-resource")).status, 404)
      const ready = yield* send("https://mcp.example.com/readyz")
      assert.deepStrictEqual(
        JSON.parse(ready.text).servers,
        entries.map(({ name }) => ({ name, ready: true }))
      )
    }).pipe(Effect.scoped))
})
