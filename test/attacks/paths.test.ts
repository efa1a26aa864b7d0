import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { assertAllHostile, assertHostile, bare, type Hostile, post } from "../support/hostile.ts"
import { rawExchange } from "../support/rawHttp.ts"

const missing = { status: 401, error: "unauthorized" }
const malformed = { status: 400, error: "invalid_request" }
const unknown = { status: 404, error: "not_found" }

/** Each target without a token and with a good one: neither may make a difference. */
const bothWays = ({ token }: GatewayFixture["Service"], targets: ReadonlyArray<string>) =>
  targets.flatMap((target): ReadonlyArray<Hostile> => [
    [`${target} without a token`, () => post([], target)],
    [`${target} with a good token`, () => post([`Authorization: Bearer ${token}`], target)]
  ])

layer(GatewayFixture.layer(), { excludeTestServices: true })("paths", (it) => {
  it.effect("HTTP-08 compares the MCP path byte by byte", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const targets = [
        "/",
        "//mcp",
        "///mcp",
        "//evil.example/mcp",
        "//evil.example:80/mcp",
        "/./mcp",
        "/../mcp",
        "/x/../mcp",
        "/.;/mcp",
        "/MCP",
        "/Mcp",
        "/mcP/",
        "/%6dcp",
        "/%6Dcp",
        "/mc%70",
        "/%2fmcp",
        "/%2Fmcp",
        "/mcp%2f",
        "/mcp%2fx",
        "/mcp%5cx",
        "/mcp\\",
        "/mcp\\x",
        "/mcp;",
        "/mcp;a=b",
        "/mcp;/x",
        "/mcp%00",
        "/mcp%00/x",
        "/mcp%0d%0aX:y",
        "/mcp%20",
        "/mcp%3fx",
        "/mcp%23",
        "/mcp.",
        "/mcp.json",
        "/mcpx",
        "/mcp&x=1",
        "/%c0%afmcp",
        "/%e0%80%afmcp",
        "/m%c0%a3p",
        "/%u006dcp",
        "/mcp%",
        "/mcp%2"
      ]
      yield* assertAllHostile(fixture, unknown, bothWays(fixture, targets))
    }))

  it.effect("HTTP-08 forwards no path that a server could read as another one", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const rests = [
        "//",
        "//x",
        "/x//y",
        "/.",
        "/./x",
        "/..",
        "/../x",
        "/x/../y",
        "/x/..",
        "/%2e",
        "/%2e%2e/x",
        "/.%2e/x",
        "/%2E./x",
        "/x%2fy",
        "/x%2Fy",
        "/x%5cy",
        "/x\\y",
        "/x;y=1",
        "/..;/x",
        "/x%00",
        "/x%0d%0aX:y",
        "/x%0a",
        "/%252e%252e/x",
        "/x%7f",
        "/%zz",
        "/%",
        "/x%2"
      ]
      yield* assertAllHostile(fixture, unknown, bothWays(fixture, rests.map((rest) => `/mcp${rest}`)))
      const unreadable = ["/\xe9", "/\xc0\xae\xc0\xae/x", "/x\0", "/x\x01", "/x y"]
      yield* assertAllHostile(
        fixture,
        { ...malformed, closes: true },
        bothWays(fixture, unreadable.map((rest) => `/mcp${rest}`))
      )
    }))

  it.effect("ERR-03 a token in the path of a rejected request is not in the log", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { token } = fixture
      yield* assertAllHostile(fixture, unknown, [
        ["a path of its own", (secret) => post([`Authorization: Bearer ${token}`], `/${secret}`)],
        ["behind a word", (secret) => post([], `/sse/${secret}/x?y`)],
        ["a parameter", (secret) => post([], `/mcp;access_token=${secret}`)],
        ["an encoded query", (secret) => post([], `/mcp%3faccess_token=${secret}`)],
        ["a rejected rest", (secret) => post([`Authorization: Bearer ${token}`], `/mcp//${secret}`)]
      ])
      yield* assertAllHostile(fixture, missing, [
        ["below the MCP path", (secret) => post([], `/mcp/${secret}`), { target: "/mcp/x" }],
        ["in absolute form", (secret) => post([], `http://127.0.0.1/mcp/${secret}`)]
      ])
    }))

  it.effect("HTTP-08 forwards the rest of a plain path byte for byte, with a token", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const targets = [
        ["/mcp", "/internal"],
        ["/mcp/", "/internal/"],
        ["/mcp/x", "/internal/x"],
        ["/mcp/x/", "/internal/x/"],
        ["/mcp/a%20b/.c/...d/e~:@f", "/internal/a%20b/.c/...d/e~:@f"],
        ["/mcp/healthz", "/internal/healthz"],
        ["/mcp?x=/../%2e%2e/&y=//z;%00#", "/internal?x=/../%2e%2e/&y=//z;%00#"],
        ["/mcp/mcp?http://evil.example/", "/internal/mcp?http://evil.example/"]
      ] as const
      for (const [target, expected] of targets) {
        yield* fixture.reset
        assert.strictEqual((yield* fixture.forwarded({ target })).url, expected)
        yield* assertHostile(fixture, missing, target, () => post([], target), { target })
      }
    }))

  it.effect("HTTP-09 opens no protected path through a public one", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const publicPaths = ["/.well-known/oauth-protected-resource", "/healthz", "/readyz"]
      const tricks = publicPaths.flatMap((path) => [
        `${path}/../mcp`,
        `${path}/../../mcp`,
        `${path}/%2e%2e/mcp`,
        `${path}%2f..%2fmcp`,
        `${path}/..;/mcp`,
        `${path};/mcp`,
        `${path}//mcp`,
        `${path}%3f/mcp`,
        `${path}#/mcp`
      ])
      const suffixes = ["%3f/healthz", "#/healthz", "/../healthz", "/..%2fhealthz", ";/healthz", "/%2e%2e/healthz"]
      const all = [...tricks, ...suffixes.map((suffix) => `/mcp${suffix}`), "/.well-known/../mcp", "/.well-known/mcp"]
      yield* assertAllHostile(fixture, unknown, bothWays(fixture, all))
    }))

  it.effect("HTTP-09 lets no query, suffix or User-Agent replace a token", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const targets = ["/mcp?x=/healthz", "/mcp?/healthz", "/mcp/healthz", "/mcp/.well-known/oauth-protected-resource"]
      const agents = ["kube-probe/1.31", "ELB-HealthChecker/2.0", "GoogleHC/1.0", "Prometheus/3.0", ""]
      yield* assertAllHostile(fixture, missing, [
        ...targets.map((target): Hostile => [target, () => post([], target), { target }]),
        ...agents.map((agent): Hostile => [agent, () => post([`User-Agent: ${agent}`])]),
        ["rewritten", () => post(["X-Original-URL: /healthz", "X-Rewrite-URL: /healthz", "X-Forwarded-Uri: /healthz"])],
        [
          "forwarded",
          () => post(["X-Forwarded-Prefix: /healthz", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1"])
        ]
      ])
    }))

  it.effect("HTTP-09 serves public paths itself, with a good token or not", () =>
    Effect.gen(function*() {
      const { gateway, reset, token, upstream } = yield* GatewayFixture
      yield* reset
      for (const target of ["/healthz", "/readyz", "/.well-known/oauth-protected-resource", "/healthz?x=/mcp"]) {
        for (const lines of [[], [`Authorization: Bearer ${token}`], ["Authorization: Bearer nobody"]]) {
          const { responses } = yield* rawExchange(gateway.origin, bare(`GET ${target}`, ...lines))
          assert.strictEqual(responses[0]?.status, 200, target)
        }
      }
      assert.isEmpty(upstream.requests())
    }))

  it.effect("HTTP-08, HTTP-09 protect everything but the public paths where the MCP path is the root", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture.make({ path: "/" })
      const { forwarded, gateway, reset } = fixture
      const control = { target: "/" }
      const targets = ["/", "/x", "/mcp", "/healthzz", "/HEALTHZ", "/readyz/", "/.WELL-KNOWN/oauth-protected-resource"]
      yield* assertAllHostile(
        fixture,
        missing,
        targets.map((target): Hostile => [target, () => post([], target), { target }])
      )
      const tricks = ["//", "//x", "/../x", "/healthz/../x", "/.well-known/x", "/.well-known/../x", "/%2e%2e/", "/x;"]
      yield* assertAllHostile(
        fixture,
        unknown,
        bothWays(fixture, tricks).map(([name, bytes]): Hostile => [name, bytes, control])
      )
      yield* reset
      assert.strictEqual((yield* forwarded(control)).url, "/internal")
      const { responses } = yield* rawExchange(gateway.origin, bare("GET /healthz"))
      assert.strictEqual(responses[0]?.status, 200)
    }))
})
