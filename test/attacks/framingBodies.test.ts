import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { initialize, ping } from "../fixtures/messages.ts"
import { GatewayFixture, textOf } from "../support/GatewayFixture.ts"
import { assertAllHostile, bare, type Hostile, post } from "../support/hostile.ts"
import { rawExchange } from "../support/rawHttp.ts"

const malformed = { status: 400, error: "invalid_request" }

/** A body limit that a test can exceed. */
const maxBodyBytes = 2_048

const length = `Content-Length: ${ping.length}`
const size = ping.length.toString(16)
const chunks = `${size}\r\n${ping}\r\n0\r\n\r\n`
const chunked = "Transfer-Encoding: chunked"

const sendChunked = ({ token }: GatewayFixture["Service"], body: string) =>
  bare("POST /mcp", `Authorization: Bearer ${token}`, "Content-Type: application/json", chunked) + body

layer(GatewayFixture.layer({ maxBodyBytes }), { excludeTestServices: true })("bodies and pipelines", (it) => {
  it.effect("HTTP-03 rejects malformed chunks", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const bodies = [
        `0x${size}\r\n${ping}\r\n0\r\n\r\n`,
        `-1\r\n${ping}\r\n0\r\n\r\n`,
        `+${size}\r\n${ping}\r\n0\r\n\r\n`,
        ` ${size}\r\n${ping}\r\n0\r\n\r\n`,
        `${size} \r\n${ping}\r\n0\r\n\r\n`,
        `\r\n${ping}\r\n0\r\n\r\n`,
        `zz\r\n${ping}\r\n0\r\n\r\n`,
        `${"F".repeat(17)}\r\n${ping}\r\n0\r\n\r\n`,
        `1${"0".repeat(16)}\r\n${ping}\r\n0\r\n\r\n`,
        `5\r\n${ping}\r\n0\r\n\r\n`,
        `${size}\r\n${ping}0\r\n\r\n`,
        `${size}\n${ping}\n0\n\n`,
        `${size};x=y\n${ping}\r\n0\r\n\r\n`,
        `${size};${"x".repeat(17_000)}\r\n${ping}\r\n0\r\n\r\n`,
        `${size};\0\r\n${ping}\r\n0\r\n\r\n`,
        `${size}\r\n${ping}\r\n0\r\nX : y\r\n\r\n`,
        `${size}\r\n${ping}\r\n0\r\nContent-Length: 3\r\n\r\n`
      ]
      yield* assertAllHostile(
        fixture,
        { ...malformed, closes: true },
        bodies.map((body): Hostile => [
          JSON.stringify(body.slice(0, 60)),
          () => sendChunked(fixture, body) + fixture.bytes()
        ])
      )
    }))

  it.effect("HTTP-03 forwards exactly the bytes in the chunks, and none of their trailers", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const single = Array.from(ping, (character) => `1\r\n${character}\r\n`).join("")
      const bodies = [
        chunks,
        `${size};name=value\r\n${ping}\r\n0;x\r\n\r\n`,
        `${"0".repeat(30)}${size.toUpperCase()}\r\n${ping}\r\n000\r\n\r\n`,
        `${single}0\r\n\r\n`,
        `${size}\r\n${ping}\r\n0\r\nX-Auth-User-Id: root\r\nAuthorization: Bearer other\r\n\r\n`
      ]
      for (const body of bodies) {
        yield* fixture.reset
        const { responses } = yield* rawExchange(fixture.gateway.origin, sendChunked(fixture, body))
        assert.strictEqual(responses[0]?.status, 200, body)
        const [request, second] = fixture.upstream.requests()
        if (request === undefined) return assert.fail("the upstream saw no request")
        assert.isUndefined(second)
        assert.strictEqual(yield* textOf(request), ping)
        assert.deepStrictEqual(request.headers("x-auth-user-id"), ["dev-user"])
      }
    }))

  it.effect("HTTP-03 a chunk without an end is cut at the limit, and half a body is not forwarded", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const endless = `${"F".repeat(16)}\r\n${"x".repeat(maxBodyBytes + 1)}`
      const tooLarge = { status: 413, error: "payload_too_large" }
      yield* assertAllHostile(fixture, tooLarge, [
        ["largest chunk size", () => sendChunked(fixture, endless)],
        ["many chunks", () => sendChunked(fixture, chunks.slice(0, -5).repeat(80))],
        ["announced", () => fixture.bytes({ body: "x".repeat(maxBodyBytes + 1) })]
      ])
      yield* fixture.reset
      for (const half of [chunks.slice(0, -2), chunks.slice(0, 20), `${size}\r\n${ping}`]) {
        const { responses } = yield* rawExchange(fixture.gateway.origin, sendChunked(fixture, half), {
          idleMillis: 100
        })
        assert.isEmpty(responses)
      }
      assert.isEmpty(fixture.upstream.requests())
    }))

  it.effect("HTTP-03 rejects a body where servers disagree on whether there is one", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const authorization = `Authorization: Bearer ${fixture.token}`
      const type = "Content-Type: application/json"
      yield* assertAllHostile(fixture, malformed, [
        ["GET with a length", () => bare("GET /mcp", authorization, type, length) + ping],
        ["GET with chunks", () => bare("GET /mcp", authorization, type, chunked) + chunks]
      ])
      yield* fixture.reset
      const empty = bare("GET /mcp", authorization, "Content-Length: 0")
      const { responses: [response] } = yield* rawExchange(fixture.gateway.origin, empty)
      // The response of the upstream, which has no such stream.
      assert.deepStrictEqual([response?.status, fixture.upstream.requests().length], [405, 1])
    }))

  it.effect("HTTP-04 checks each pipelined request on its own, in order", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      const statuses = Effect.fnUntraced(function*(sent: string, responses: number) {
        yield* reset
        const exchange = yield* rawExchange(gateway.origin, sent, {
          responses,
          idleMillis: responses === 0 ? 200 : 3_000
        })
        return [exchange.responses.map(({ status }) => status), upstream.requests().length] as const
      })
      const anonymous = post([])
      const half = bytes().slice(0, -10)
      assert.deepStrictEqual(yield* statuses(anonymous + bytes(), 2), [[401, 200], 1])
      assert.deepStrictEqual(yield* statuses(bytes() + anonymous, 2), [[200, 401], 1])
      assert.deepStrictEqual(yield* statuses(bytes() + bytes(), 2), [[200, 200], 2])
      assert.deepStrictEqual(yield* statuses(bytes() + half, 1), [[200], 1])
      assert.deepStrictEqual(yield* statuses(half, 0), [[], 0])
      // Garbage gets its response after the requests before it, and never instead of them.
      assert.deepStrictEqual(yield* statuses(`${bytes()}\x01\r\n\r\n${bytes()}`, Infinity), [[200, 400], 1])
      assert.deepStrictEqual(yield* statuses(`\x01\r\n\r\n${bytes()}`, Infinity), [[400], 0])
      // A body that was rejected unread is not taken for a request, and gets no second response.
      const unread = bare("POST /mcp", "Content-Type: application/json", chunked)
      assert.deepStrictEqual(yield* statuses(`${unread}zz\r\n${bytes()}`, Infinity), [[401], 0])
      const declared = bare("POST /mcp", `Content-Length: ${bytes().length}`)
      assert.deepStrictEqual(yield* statuses(declared + bytes() + bytes(), 2), [[401, 200], 1])
    }))

  it.effect("HTTP-05 frames its own requests once", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const framed = Effect.fnUntraced(function*(sent: string) {
        yield* fixture.reset
        const { responses } = yield* rawExchange(fixture.gateway.origin, sent)
        assert.strictEqual(responses[0]?.status, 200)
        const request = yield* fixture.upstream.awaitRequest()
        const body = yield* request.body
        assert.deepStrictEqual(request.headers("content-length"), [String(body.length)])
        assert.isEmpty(request.headers("transfer-encoding"))
        assert.isEmpty([...request.headers("te"), ...request.headers("trailer"), ...request.headers("expect")])
        return Buffer.from(body).toString()
      })
      const { bytes, token } = fixture
      assert.strictEqual(yield* framed(bytes()), ping)
      assert.strictEqual(yield* framed(bytes().replace("Content-Length", "cONTENT-lENGTH")), ping)
      assert.strictEqual(yield* framed(bytes().replace(length, `Content-Length: 00${ping.length}`)), ping)
      assert.strictEqual(
        yield* framed(bytes({ lines: ["TE: trailers", "Trailer: X", "Connection: content-length"] })),
        ping
      )
      assert.strictEqual(yield* framed(sendChunked(fixture, chunks)), ping)
      // The body grows, and its length with it.
      assert.include(yield* framed(bytes({ body: initialize })), "_authContext")
      assert.include(
        yield* framed(bytes({ body: initialize, lines: [`Connection: ${token}, Content-Length`] })),
        "dev-user"
      )
    }))
})
