import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { ping } from "../fixtures/messages.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { assertAllHostile, assertHostile, type Hostile, post } from "../support/hostile.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"

const missing = { status: 401, error: "unauthorized" }
const malformed = { status: 400, error: "invalid_request" }

const withHosts = (token: string, target: string, hosts: ReadonlyArray<string>) =>
  rawRequest([
    `POST ${target} HTTP/1.1`,
    ...hosts.map((host) => `Host: ${host}`),
    `Authorization: Bearer ${token}`,
    "Content-Type: application/json",
    `Content-Length: ${ping.length}`
  ], ping)

/** A target without a token and with a good one: neither may make a difference. */
const bothWays = (token: string, target: string): ReadonlyArray<Hostile> => [
  [`${target} without a token`, () => post([], target)],
  [`${target} with a good token`, () => post([`Authorization: Bearer ${token}`], target)]
]

const unusableHosts: ReadonlyArray<ReadonlyArray<string>> = [
  ["127.0.0.1", "127.0.0.1"],
  ["127.0.0.1", "evil.example"],
  [],
  [""],
  ["user@127.0.0.1"],
  ["user:secret@127.0.0.1"],
  ["127.0.0.1\", error=\"x"],
  ["a\"b"],
  ["a b"],
  ["a\tb"],
  ["a,b"],
  ["127.0.0.1:99999"],
  ["127.0.0.1:-1"],
  ["127.0.0.1:"],
  ["127.0.0.1:80:80"],
  ["127.0.0.1:8o"],
  ["127.0.0.1/mcp"],
  ["127.0.0.1?x"],
  ["127.0.0.1#x"],
  ["evil\\"],
  ["a%62c"],
  ["<script>"],
  ["a;b"],
  ["caf\xe9.example"],
  ["-a.example"],
  [".example"],
  ["[::1"],
  ["::1"],
  ["[::1]evil"],
  ["[evil]"],
  ["http://127.0.0.1"],
  [`${"a".repeat(300)}.example`]
]

layer(GatewayFixture.layer(), { excludeTestServices: true })("hosts and forms of targets", (it) => {
  it.effect("HTTP-06 rejects a Host that is missing, repeated or malformed, on every path", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      for (const target of ["/mcp", "/.well-known/oauth-protected-resource", "/nowhere"]) {
        yield* assertAllHostile(
          fixture,
          malformed,
          unusableHosts.map((hosts): Hostile => [
            JSON.stringify(hosts),
            () => withHosts(fixture.token, target, hosts)
          ])
        )
      }
    }))

  it.effect("HTTP-14 HTTP/1.0 probes need no Host, everything else does", () =>
    Effect.gen(function*() {
      const { gateway } = yield* GatewayFixture
      const status = (target: string) =>
        Effect.map(
          rawExchange(gateway.origin, rawRequest([`GET ${target} HTTP/1.0`])),
          ({ responses: [response] }) => response?.status
        )
      assert.strictEqual(yield* status("/healthz"), 200)
      assert.strictEqual(yield* status("/readyz"), 200)
      assert.strictEqual(yield* status("/.well-known/oauth-protected-resource"), 400)
      assert.strictEqual(yield* status("/mcp"), 400)
    }))

  it.effect("HTTP-06 rejects it also where the public URL is configured, and then uses no Host", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture.make({ publicUrl: "https://mcp.example" })
      // An empty Host is allowed where it does not matter (RFC 9110, section 7.2).
      const hosts = unusableHosts.filter(([host]) => host !== "")
      yield* assertAllHostile(
        fixture,
        malformed,
        hosts.map((hosts): Hostile => [JSON.stringify(hosts), () => withHosts(fixture.token, "/mcp", hosts)])
      )
      const response = yield* assertHostile(
        fixture,
        missing,
        "another host",
        () => post([], "/mcp").replace("Host: 127.0.0.1", "Host: evil.example")
      )
      const { parameters } = parseChallenge(response.headers("www-authenticate").join())
      const url = parameters.get("resource_metadata")
      assert.strictEqual(url, "https://mcp.example/.well-known/oauth-protected-resource")
    }))

  it.effect("HTTP-06 ignores the forwarded host of a peer that is not trusted", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const lines = [
        "X-Forwarded-Host: evil.example",
        "X-Original-Host: evil.example",
        "X-Host: evil.example",
        "X-Forwarded-Server: evil.example",
        "Forwarded: host=evil.example;proto=https"
      ]
      for (const line of lines) {
        const response = yield* assertHostile(fixture, missing, line, () => post([line, "X-Forwarded-Proto: https"]))
        const { parameters } = parseChallenge(response.headers("www-authenticate").join())
        const url = parameters.get("resource_metadata")
        assert.strictEqual(url, "http://127.0.0.1/.well-known/oauth-protected-resource", line)
      }
      yield* assertHostile(
        fixture,
        { ...malformed, closes: true },
        ":authority",
        () => post([":authority: evil.example", `Authorization: Bearer ${fixture.token}`])
      )
    }))

  it.effect("HTTP-07 rejects targets that are neither in origin form nor in absolute form for this host", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const absolute = [
        "http://evil.example/mcp",
        "http://127.0.0.1:81/mcp",
        "HTTPS://evil.example/mcp",
        "http:///mcp",
        "http://user@127.0.0.1/mcp",
        "ftp://127.0.0.1/mcp",
        "*"
      ]
      yield* assertAllHostile(fixture, malformed, absolute.flatMap((target) => bothWays(fixture.token, target)))
      const unreadable = ["evil.example:80", "mcp", "127.0.0.1/mcp", "?x", "\\mcp", "http:", "javascript:alert(1)"]
      yield* assertAllHostile(
        fixture,
        { ...malformed, closes: true },
        unreadable.flatMap((target) => bothWays(fixture.token, target))
      )
    }))
})
