import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type ErrorStyle, errorStyles } from "../../src/config/GatewaySettings.ts"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { eventually } from "../fixtures/eventually.ts"
import { ping } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { leaks, LogCapture } from "../support/canary.ts"
import { startGateway } from "../support/gateway.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { assertAllHostile, assertHostile, bare, post } from "../support/hostile.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"

const missing = { status: 401, error: "unauthorized" }
const invalid = { status: 401, error: "invalid_token" }
const forbidden = { status: 403, error: "insufficient_scope" }

/** Texts that a field value can contain on the wire, one byte for each character. */
const FieldValue = Schema.String.check(Schema.isPattern(/^[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]{0,40}$/))

/** Almost a host, so that many are good and most are not. */
const Host = Schema.String.check(Schema.isPattern(/^[a-z0-9"\\.,:;@[\]_=-]{1,12}(?::[0-9]{1,5})?$/))

/** Hosts that look like one and that no URL can have. */
const noHosts = [
  "999.999.999.999",
  "1.2.3.4.5",
  "256.1",
  "0x1.2.3.4.5",
  "[::::]",
  "[1:2]",
  "[1.2.3.4]",
  "a..1"
]

const wellKnown = "/.well-known/oauth-protected-resource"

const originOf = (errorStyle: ErrorStyle) =>
  Effect.map(startGateway(settings("http://127.0.0.1:9", { errorStyle })), ({ origin }) => origin)

/** A gateway for each dialect of errors. */
class Dialects extends Context.Service<Dialects, {
  readonly origins: Readonly<Record<ErrorStyle, string>>
}>()("mcp-authorizer/test/attacks/errors.test/Dialects") {
  static readonly layer = Layer.effect(
    Dialects,
    Effect.map(
      Effect.all({
        oauth: originOf("oauth"),
        unauthorized: originOf("unauthorized"),
        jsonrpc: originOf("jsonrpc"),
        rfc6750: originOf("rfc6750")
      }),
      (origins) => ({ origins })
    )
  )
}

const FixtureLayer = Layer.merge(GatewayFixture.layer(), Dialects.layer)

layer(FixtureLayer, { excludeTestServices: true })("errors", (it) => {
  it.effect.prop(
    "ERR-01 a challenge parses back to its parameters, for every Host and in every dialect",
    { host: Host, style: Schema.Literals(errorStyles) },
    ({ host, style }) =>
      Effect.gen(function*() {
        const { origins } = yield* Dialects
        const bytes = rawRequest(["GET /mcp HTTP/1.1", `Host: ${host}`])
        const { responses: [response] } = yield* rawExchange(origins[style], bytes)
        const challenges = response?.headers("www-authenticate") ?? []
        assert.lengthOf(response?.headers("access-control-expose-headers") ?? [], 1)
        if (response?.status === 400) return assert.isEmpty(challenges)
        assert.strictEqual(response?.status, 401)
        assert.lengthOf(challenges, 1)
        const { parameters, scheme } = parseChallenge(challenges.join())
        assert.strictEqual(scheme, "Bearer")
        const bare = style === "jsonrpc" || style === "rfc6750"
        const names = bare ? ["resource_metadata"] : ["error", "error_description", "resource_metadata"]
        assert.deepStrictEqual([...parameters.keys()], names)
        const [, authority, path] = /^https?:\/\/([^/]*)(.*)$/.exec(parameters.get("resource_metadata") ?? "") ?? []
        assert.strictEqual(path, style === "rfc6750" ? `${wellKnown}/mcp` : wellKnown)
        // The host as the metadata name it.
        const metadata = yield* rawExchange(origins[style], rawRequest([`GET ${path} HTTP/1.1`, `Host: ${host}`]))
        const { resource } = JSON.parse(metadata.responses[0]?.text ?? "")
        assert.strictEqual(new URL(resource).host, authority)
      }),
    { arbitrary: { runs: 300 } }
  )

  it.effect("ERR-01, HTTP-06 rejects a Host that no URL can have, in every dialect", () =>
    Effect.gen(function*() {
      const { origins } = yield* Dialects
      for (const origin of Object.values(origins)) {
        for (const host of noHosts) {
          for (const target of ["/mcp", wellKnown]) {
            const { responses: [response] } = yield* rawExchange(
              origin,
              rawRequest([`GET ${target} HTTP/1.1`, `Host: ${host}`])
            )
            assert.deepStrictEqual(
              [response?.status, response?.headers("content-type")],
              [400, ["application/json"]],
              host
            )
          }
        }
      }
    }))

  it.effect.prop(
    "ERR-01 nothing that a client sends, apart from the Host, reaches the challenge",
    {
      value: FieldValue,
      name: Schema.Literals(["X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "User-Agent", "Via"])
    },
    ({ name, value }) =>
      Effect.gen(function*() {
        const { gateway } = yield* GatewayFixture
        const { responses: [response] } = yield* rawExchange(gateway.origin, bare("GET /mcp", `${name}: ${value}`))
        assert.deepStrictEqual(response?.headers("www-authenticate"), [
          "Bearer error=\"unauthorized\", error_description=\"Missing authorization header\", " +
          `resource_metadata="http://127.0.0.1${wellKnown}"`
        ])
      }),
    { arbitrary: { runs: 150 } }
  )

  it.effect("ERR-01 uses a trusted proxy's host only if it is well-formed, and quotes scopes", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture.make({
        trustedProxies: { _tag: "All" },
        requiredScopes: ["read", "a\"b", "c\\d", "e\u00e9\r\nX-Injected: 1"]
      })
      const { gateway, token } = fixture
      const ask = (line: string) =>
        Effect.map(
          rawExchange(gateway.origin, post([line, `Authorization: Bearer ${token}`])),
          ({ responses }) => responses[0]
        )
      const good = yield* ask("X-Forwarded-Host: mcp.example")
      assert.strictEqual(good?.status, forbidden.status)
      const { parameters } = parseChallenge(good?.headers("www-authenticate").join() ?? "")
      assert.deepStrictEqual([...parameters.entries()], [
        ["error", "insufficient_scope"],
        ["error_description", "Token missing required scopes"],
        ["scope", "read a\"b c\\d e???X-Injected: 1"],
        ["resource_metadata", `https://mcp.example${wellKnown}`]
      ])
      assert.isEmpty(good?.headers("x-injected"))
      for (const host of ["evil\", scope=\"x", "a b", "a@b", "evil\\", "a/b", "x, ", "caf\xe9"]) {
        assert.strictEqual((yield* ask(`X-Forwarded-Host: ${host}`))?.status, 400, host)
      }
      const scheme = yield* ask("X-Forwarded-Proto: javascript\", x=\"")
      assert.strictEqual(
        parseChallenge(scheme?.headers("www-authenticate").join() ?? "").parameters.get("resource_metadata"),
        `http://127.0.0.1${wellKnown}`
      )
    }))

  it.effect("ERR-02 responds to every unknown token with the same bytes", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { token } = fixture
      const tokens = [
        "x",
        token.slice(0, -1),
        `${token}x`,
        token.toUpperCase(),
        `${token}=`,
        "a".repeat(8_000),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.",
        "a.b.c"
      ]
      const said = new Set<string>()
      for (const token of tokens) {
        const response = yield* assertHostile(fixture, invalid, token, () => post([`Authorization: Bearer ${token}`]))
        said.add(response.headerLines.filter((line) => !/^(?:date|x-trace-id):/i.test(line)).join("\n") + response.text)
      }
      assert.lengthOf([...said], 1)
    }))

  it.effect("ERR-04, ERR-06 every rejection is one bounded line of JSON", () =>
    Effect.gen(function*() {
      const { gateway, logs, reset } = yield* GatewayFixture
      const breakout = "%0d%0a%1b[2J\",\"level\":\"fatal\"}{%E2%80%AE"
      const long = "x".repeat(4_000)
      const requests = [
        bare(`GET /mcp/${breakout}`, `User-Agent: ${breakout}`, `X-Trace-Id: ${breakout}`),
        bare(`GET /${breakout}?${breakout}`),
        bare(`GET /mcp?${breakout}`, `Mcp-Method: ${breakout}`, `Origin: http://${breakout}`),
        bare(`GET /mcp/${long}?${long}`, `X-Trace-Id: ${long}`, `Referer: ${long}`),
        bare("GET /mcp", `Authorization: ${"Scheme".repeat(100)} ${long}`),
        bare("GET /mcp", `Host: ${long}`),
        bare("PROPFIND /mcp", `Authorization: Bearer ${long}`)
      ]
      for (const request of requests) {
        yield* reset
        const { responses } = yield* rawExchange(gateway.origin, request)
        assert.isAbove(responses[0]?.status ?? 0, 399)
        // The line is written when the response has ended, which its reader may notice first.
        yield* eventually(() => logs.entries().length > 0)
        const [entry = "", ...more] = logs.entries()
        assert.isEmpty(more, request)
        const [line = ""] = entry.split("\n")
        assert.isBelow(line.length, 1_500, request)
        const { annotations, level, message } = JSON.parse(line)
        assert.deepStrictEqual([level, message], ["INFO", "request"], line)
        assert.includeMembers(Object.keys(annotations), ["trace_id", "http_method", "path", "status", "error"])
        assert.notInclude(annotations.path, "?")
        assert.match(line, /^[ -~\u2026]*$/)
      }
    }))

  it.effect("CFG-03, ERR-07 an internal failure is a bare 500, and the next request succeeds", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const capture = yield* Layer.build(LogCapture.layer)
      const secret = "canary-of-the-fault"
      const verifier = Layer.succeed(TokenVerifier, {
        verify: (token) => {
          const text = Redacted.value(token)
          if (text === "throw") throw new TypeError(`${secret} ${text}`)
          return text === "die"
            ? Effect.die({ [secret]: text })
            : text === "reject"
            ? Effect.promise(() => Promise.reject(new Error(secret)))
            : Effect.succeed({
              subject: "someone",
              clientId: undefined,
              issuer: "test",
              scopes: [],
              email: undefined,
              name: undefined,
              provider: "test",
              expiresAt: undefined,
              claims: {}
            })
        }
      })
      const logger = Layer.succeedContext(capture)
      const gateway = yield* startGateway(settings(upstream.origin), { verifier, logger })
      for (const token of ["throw", "die", "reject"]) {
        const { responses: [response], received } = yield* rawExchange(
          gateway.origin,
          post([`Authorization: Bearer ${token}`])
        )
        if (response === undefined) return assert.fail("no response")
        assert.strictEqual(response.status, 500)
        assert.deepStrictEqual(JSON.parse(response.text), {
          error: "server_error",
          error_description: "Internal server error"
        })
        assert.lengthOf(response.headers("access-control-expose-headers"), 1)
        assert.notMatch(Buffer.from(received).toString(), /canary|\.ts|node_modules|TypeError/)
        const next = yield* rawExchange(gateway.origin, post(["Authorization: Bearer good"]))
        assert.strictEqual(next.responses[0]?.status, 200)
      }
      assert.lengthOf(upstream.requests(), 3)
      const entries = yield* LogCapture.useSync((logs) => logs.entries()).pipe(Effect.provideContext(capture))
      assert.lengthOf(entries.filter((entry) => entry.includes("internal fault")), 3)
      assert.isEmpty(leaks(entries, secret))
    }))

  it.effect("ERR-07 reveals nothing of the gateway or the MCP server in any error", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      // `assertHostile` looks for stack frames, modules, versions and the address behind.
      yield* assertAllHostile(fixture, missing, [["no token", () => post([])]])
      yield* assertAllHostile(fixture, { status: 400, error: "invalid_request" }, [
        ["not JSON", () => fixture.bytes({ body: "{\"a\": undefined" })],
        ["not JSON-RPC", () => fixture.bytes({ body: "[1]" })],
        ["deep", () => fixture.bytes({ body: "[".repeat(50_000) })],
        ["duplicate", () => fixture.bytes({ body: `{"method":"a","method":"b"}` })],
        ["not UTF-8", () => fixture.bytes({ body: Buffer.from(`{"jsonrpc":"\xff"}`, "latin1") })],
        ["empty", () => fixture.bytes({ body: "" })]
      ])
      yield* fixture.forwarded({ body: ping })
    }))
})
