import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomUUID } from "node:crypto"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { ping } from "../fixtures/messages.ts"
import { leaks } from "../support/canary.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "../support/RecordingUpstream.ts"
import { respond } from "../support/upstreamResponses.ts"
import { type GatewayProgram, startGatewayProgram, staticSettings } from "./support/GatewayProgram.ts"
import { closedPort } from "./support/ports.ts"
import { startProgram } from "./support/Program.ts"

const canary = "canary-41e7d09c5ab8632f"

// Control characters of both sets, and those that turn the direction of writing or end a line.
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

/** Sends a `ping`. Returns the response and its log line, once that line is written. */
const exchange = Effect.fnUntraced(function*(
  gateway: GatewayProgram,
  authorization: string | undefined,
  { lines = [], target = "/mcp" }: { readonly target?: string; readonly lines?: ReadonlyArray<string> } = {}
) {
  const { responses: [response], received } = yield* rawExchange(
    gateway.origin,
    rawRequest([
      `POST ${target} HTTP/1.1`,
      "Host: 127.0.0.1",
      ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
      "Content-Type: application/json",
      `Content-Length: ${ping.length}`,
      ...lines
    ], ping)
  )
  if (response === undefined) return assert.fail("no response")
  const [traceId = ""] = response.headers("x-trace-id")
  const line = yield* gateway.requestLine(traceId)
  return { response, line, traceId, text: Buffer.from(received).toString("latin1") }
})

/** A gateway at trace level that knows a static token and an issuer, shared by the tests of this file. */
class Traced extends Context.Service<Traced, {
  readonly gateway: GatewayProgram
  readonly issuer: TestIssuer["Service"]
  readonly upstream: RecordingUpstream
}>()("mcp-authorizer/test/node/processLog/Traced") {
  static readonly layer = Layer.effect(
    Traced,
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const issuer = yield* TestIssuer.make({ audience: "https://mcp.example/mcp" })
      const gateway = yield* startGatewayProgram({
        env: {
          MCP_SERVER_URL: upstream.origin,
          MCP_LOG_LEVEL: "trace",
          MCP_PROVIDERS: JSON.stringify([
            { type: "static", name: "fixed", tokens: `${canary}:dev-client:dev-user:read` },
            {
              type: "oidc",
              name: "issuer",
              issuer: issuer.issuer,
              audience: ["https://mcp.example/mcp"],
              jwks_uri: issuer.jwksUri
            }
          ])
        }
      })
      return Traced.of({ gateway, issuer, upstream })
    })
  )
}

layer(Traced.layer, { excludeTestServices: true })("log in JSON, at trace level", (it) => {
  it.effect("has one line a request that says who, what and how it went", () =>
    Effect.gen(function*() {
      const { gateway } = yield* Traced
      const before = gateway.log().length
      const { response, line, traceId } = yield* exchange(gateway, `Bearer ${canary}`, {
        target: "/mcp/tools?session=secret-query"
      })
      assert.strictEqual(response.status, 200)
      const { duration_ms, subject, ...rest } = line
      assert.deepStrictEqual(rest, {
        trace_id: traceId,
        client_address: "127.0.0.1",
        http_method: "POST",
        path: "/mcp/tools",
        status: 200,
        provider: "fixed",
        client: "dev-client"
      })
      assert.isTrue(typeof duration_ms === "number" && duration_ms > 0)
      assert.match(String(subject), /^[0-9a-f]{16}$/)
      assert.lengthOf(gateway.log().slice(before).filter(({ message }) => message === "request"), 1)
      assert.notInclude(gateway.stdout(), "secret-query")
      assert.notInclude(gateway.stdout(), "dev-user")
    }))

  it.effect("tells callers apart by their digest, and one caller's lines together", () =>
    Effect.gen(function*() {
      const { gateway, issuer } = yield* Traced
      const subjectOf = (subject: string) =>
        Effect.gen(function*() {
          const token = yield* issuer.sign({ claims: { sub: subject, jti: randomUUID() } })
          return (yield* exchange(gateway, `Bearer ${token}`)).line["subject"]
        })
      const one = yield* subjectOf("one")
      assert.match(String(one), /^[0-9a-f]{16}$/)
      assert.strictEqual(yield* subjectOf("one"), one)
      assert.notStrictEqual(yield* subjectOf("other"), one)
    }))

  it.effect("names size, limit and setting of a token that is too long, and Entra's with 200 groups is not", () =>
    Effect.gen(function*() {
      const { gateway, issuer } = yield* Traced
      const groups = Array.from({ length: 200 }, () => randomUUID())
      const withGroups = yield* issuer.sign({ claims: { groups } })
      assert.isAbove(withGroups.length, 10_000)
      assert.strictEqual((yield* exchange(gateway, `Bearer ${withGroups}`)).response.status, 200)
      // The head of the request has room for more than the token.
      const others = [`X-Padding: ${"p".repeat(12_000)}`]
      const longest = yield* exchange(gateway, `Bearer ${"a".repeat(16_384)}`, { lines: others })
      assert.strictEqual(longest.response.status, 401)
      const tooLong = yield* exchange(gateway, `Bearer ${"a".repeat(16_385)}`, { lines: others })
      assert.strictEqual(tooLong.response.status, 431)
      assert.strictEqual(tooLong.line["error"], "CredentialTooLarge")
      assert.strictEqual(
        tooLong.line["detail"],
        "the token has 16385 bytes, the limit is 16384; MCP_MAX_TOKEN_BYTES raises it"
      )
      assert.notInclude(tooLong.text, "16384")
    }))

  it.effect("ERR-02 has the true reason of a rejection, which the response does not", () =>
    Effect.gen(function*() {
      const { gateway, issuer } = yield* Traced
      const cases = [
        [undefined, "Missing authorization header", { error: "MissingCredential" }],
        ["Bearer nobody-knows-this", "Invalid token format", {
          error: "InvalidToken",
          reason: "MalformedToken"
        }],
        [`Bearer ${yield* issuer.sign({ claims: { aud: "https://other.example" } })}`, "Invalid audience", {
          error: "InvalidToken",
          reason: "InvalidAudience"
        }],
        [`Bearer ${yield* issuer.sign({ expiresIn: "-1 hour" })}`, "Token has expired", {
          error: "InvalidToken",
          reason: "Expired"
        }]
      ] as const
      for (const [authorization, description, reason] of cases) {
        const { response, line, text } = yield* exchange(gateway, authorization)
        assert.strictEqual(response.status, 401)
        assert.strictEqual(JSON.parse(response.text).error_description, description)
        assert.strictEqual(line["error"], reason.error)
        if (!("reason" in reason)) continue
        assert.strictEqual(line["reason"], reason.reason)
        const { detail } = line
        if (typeof detail !== "string" || detail === "") return assert.fail(`no detail for ${description}`)
        assert.notInclude(text, detail)
      }
    }))

  it.effect("ERR-04 keeps one event on one line, for every request", () =>
    Effect.gen(function*() {
      const { gateway, issuer } = yield* Traced
      const before = gateway.log().length
      const breakouts = [
        "\",\"level\":\"FATAL\",\"x\":\"",
        "%0d%0a{\"message\":\"forged\"}",
        "\\n{\"message\":\"forged\"}",
        "a".repeat(4000)
      ]
      const invisible = ["\u001b[2J\u001b[31mred", "\r\n{\"message\":\"forged\"}", "\u202egnp.exe", "\u0000", "\u2028"]
      const send = (authorization: string, target: string, lines: ReadonlyArray<string> = []) =>
        rawExchange(
          gateway.origin,
          rawRequest([`GET ${target} HTTP/1.1`, "Host: a", `Authorization: ${authorization}`, ...lines])
        )

      for (const text of [...breakouts, ...invisible]) {
        const bytes = Buffer.from(text).toString("latin1")
        yield* send(`Bearer ${canary}`, `/mcp/${bytes}`)
        yield* send(`Bearer ${canary}`, `/${bytes}`)
        yield* send(`Bearer ${canary}`, "/mcp", [`User-Agent: ${bytes}`])
        yield* send(`Bearer ${canary}`, "/mcp", [`X-Trace-Id: ${bytes}`])
        yield* send(`Bearer ${canary}`, "/mcp", [`Origin: ${bytes}`])
        yield* send(bytes, "/mcp")
        for (const change of [{ header: { kid: text } }, { header: { alg: text } }, { claims: { iss: text } }]) {
          yield* send(`Bearer ${yield* issuer.sign(change)}`, "/mcp")
        }
        const claims = { sub: `user ${text}`, scope: text, client_id: text, email: text }
        yield* send(`Bearer ${yield* issuer.sign({ claims })}`, "/mcp")
      }
      yield* exchange(gateway, `Bearer ${canary}`)

      const lines = gateway.log().slice(before)
      // What Node's own parser rejects is not in the log; the rest is.
      assert.isAtLeast(lines.length, 60)
      for (const { annotations, level, message } of lines) {
        assert.notStrictEqual(level, "FATAL")
        assert.notStrictEqual(message, "forged")
        if (message !== "request") continue
        assert.match(String(annotations["trace_id"]), /^[A-Za-z0-9._:+/=@-]{1,128}$/)
        assert.isAtMost(String(annotations["path"]).length, 257)
      }
      assert.notMatch(gateway.stdout().replaceAll("\n", ""), control)
      for (const line of gateway.stdout().split("\n")) assert.isAtMost(line.length, 2048)
      assert.strictEqual(gateway.stderr(), "")
    }))

  it.effect("ERR-03 shows no token anywhere, good or bad, wherever it was sent", () =>
    Effect.gen(function*() {
      const { gateway, issuer, upstream } = yield* Traced
      const jwt = yield* issuer.sign({ claims: { canary } })
      const forged = `${jwt.slice(0, -8)}AAAAAAAA`
      for (const token of [canary, jwt, forged, `${canary}-wrong`]) {
        for (const authorization of [`Bearer ${token}`, `Basic ${token}`, token, `Bearer ${token}, Bearer ${token}`]) {
          yield* exchange(gateway, authorization)
        }
        yield* exchange(gateway, undefined, { target: `/mcp?access_token=${token}` })
        yield* exchange(gateway, `Bearer ${token}`, { lines: [`Cookie: token=${token}`, `X-Api-Key: ${token}`] })
        yield* exchange(gateway, `Bearer ${token}`, { lines: [`Authorization: Bearer ${token}`] })
      }
      // An upstream that speaks of the token does not get it into the log either.
      yield* upstream.respondWith(respond({ status: 401, headers: { "www-authenticate": `Bearer x="${canary}"` } }))
      assert.strictEqual((yield* exchange(gateway, `Bearer ${canary}`)).response.status, 502)
      yield* upstream.reset
      assert.strictEqual((yield* exchange(gateway, `Bearer ${jwt}`)).response.status, 200)

      for (const token of [canary, jwt, forged]) {
        assert.isEmpty(leaks([gateway.stdout(), gateway.stderr()], token))
      }
    }))
})

describe("other logs", { timeout: 60_000 }, () => {
  const levels: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [["warn", ["WARN", "ERROR"]], ["none", []]]

  it.live("MCP_LOG_LEVEL=warn leaves requests out, MCP_LOG_LEVEL=none everything", () =>
    Effect.gen(function*() {
      for (const [level, expected] of levels) {
        const port = yield* closedPort
        const program = yield* startProgram({
          env: { ...staticSettings("http://127.0.0.1:9", "short"), PORT: String(port), MCP_LOG_LEVEL: level }
        })
        const origin = `http://127.0.0.1:${port}`
        const status = (path: string) =>
          Effect.tryPromise(() =>
            fetch(origin + path, { headers: { authorization: "Bearer short" } }).then(({ status }) => status)
          )
        const early = Effect.flatMap(program.ended, ({ stderr }) => Effect.die(new Error(`it ended: ${stderr}`)))
        yield* Effect.race(Effect.eventually(Effect.delay(status("/healthz"), "50 millis")), early)
        assert.strictEqual(yield* Effect.orDie(status("/nothing")), 404)
        assert.strictEqual(yield* Effect.orDie(status("/mcp")), 502)
        yield* program.signal("SIGTERM")
        const { code, stderr, stdout } = yield* program.ended
        assert.deepStrictEqual([code, stderr], [0, ""])
        const lines = stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
        assert.deepStrictEqual(lines.map(({ level }) => level), [...expected])
      }
    }))

  it.live("MCP_LOG_NAMES names the fields by a convention, and probes are logged at debug", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      for (
        const [names, level, path, status] of [
          ["ecs", "log.level", "url.path", "http.response.status_code"],
          ["otel", "severity_text", "url.path", "http.response.status_code"],
          ["default", "level", "path", "status"]
        ] as const
      ) {
        for (const least of ["info", "debug"]) {
          const gateway = yield* startGatewayProgram({
            env: { ...staticSettings(upstream.origin, canary), MCP_LOG_NAMES: names, MCP_LOG_LEVEL: least }
          })
          for (const target of ["/healthz", "/readyz", "/nothing"]) {
            yield* rawExchange(gateway.origin, rawRequest([`GET ${target} HTTP/1.1`, "Host: a", "Connection: close"]))
          }
          yield* gateway.signal("SIGTERM")
          const { stdout } = yield* gateway.ended
          const lines = stdout.split("\n").slice(0, -1).map((line): Record<string, unknown> => JSON.parse(line))
          const requests = lines.filter((line) => line[path] !== undefined).map((line) => [
            String(line[level]).toUpperCase(),
            line[path],
            line[status]
          ])
          assert.deepStrictEqual(requests, [
            ...(least === "debug" ? [["DEBUG", "/healthz", 200], ["DEBUG", "/readyz", 200]] : []),
            ["INFO", "/nothing", 404]
          ])
        }
      }
    }))

  it.live("MCP_LOG_FORMAT=pretty is for eyes, and holds no control characters either", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const gateway = yield* startGatewayProgram({
        env: { ...staticSettings(upstream.origin, canary), MCP_LOG_FORMAT: "pretty", MCP_LOG_LEVEL: "trace" }
      })
      const kid = Buffer.from(JSON.stringify({ alg: "RS256", kid: "\u001b[31m\r\nforged" })).toString("base64url")
      for (const token of [canary, `${kid}.e30.c2ln`]) {
        yield* rawExchange(
          gateway.origin,
          rawRequest(["GET /mcp/tools?q HTTP/1.1", "Host: a", `Authorization: Bearer ${token}`])
        )
      }
      yield* gateway.awaitOutput(/status: 401[^]*\n {2}detail: .*\n/)
      const text = gateway.stdout()
      assert.match(
        text,
        /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO \(#\d+\): request\n {2}trace_id: \S+\n {2}client_address: 127\.0\.0\.1\n {2}http_method: GET\n/m
      )
      assert.match(text, /\n {2}path: \/mcp\/tools\n {2}status: \d+\n {2}duration_ms: [\d.]+\n/)
      assert.notMatch(text.replaceAll("\n", ""), control)
      assert.notMatch(text, /^.*forged/m)
      assert.isEmpty(leaks([text, gateway.stderr()], canary))
    }))
})
