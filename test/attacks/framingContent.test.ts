import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import { initialize, ping } from "../fixtures/messages.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { assertAllHostile, type Hostile } from "../support/hostile.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import * as responses from "../support/upstreamResponses.ts"

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")

layer(GatewayFixture.layer(), { excludeTestServices: true })("content codings, caches and redirects", (it) => {
  it.effect("HTTP-16 keeps responses out of caches unless the MCP server says otherwise, and forwards the client's conditions", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const lines = ["If-None-Match: \"v1\"", "If-Modified-Since: Sat, 21 Nov 2026 00:00:00 GMT", "Range: bytes=0-1"]
      const plain = yield* send({ method: "GET", lines })
      assert.deepStrictEqual(plain.responses[0]?.headers("cache-control"), ["no-store"])
      const request = yield* upstream.awaitRequest()
      assert.deepStrictEqual(request.headers("if-none-match"), ["\"v1\""])
      assert.deepStrictEqual(request.headers("range"), ["bytes=0-1"])
      for (
        const [status, headers] of [[200, { "cache-control": "private, max-age=5" }], [304, {
          etag: "\"v1\""
        }]] as const
      ) {
        yield* upstream.respondWith(responses.respond({ status, headers }))
        const { responses: [response], rest } = yield* send({ method: "GET", lines })
        assert.deepStrictEqual([response?.status, response?.text, rest.length], [status, "", 0])
        const expected = "cache-control" in headers ? headers["cache-control"] : "no-store"
        assert.deepStrictEqual(response?.headers("cache-control"), [expected])
        assert.deepStrictEqual(response?.headers("vary"), ["Origin"])
      }
      yield* reset
    }))

  it.effect("HTTP-17 rejects every encoded body unread", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const bomb = gzipSync(gzipSync(Buffer.alloc(32 * 1024 * 1024)))
      const bodies: ReadonlyArray<readonly [string, Uint8Array]> = [
        ["gzip", gzipSync(ping)],
        ["GZIP", gzipSync(ping)],
        ["x-gzip", gzipSync(ping)],
        ["deflate", deflateSync(ping)],
        ["br", brotliCompressSync(ping)],
        ["gzip, gzip", gzipSync(gzipSync(ping))],
        ["gzip, gzip", bomb],
        ["identity, gzip", gzipSync(ping)],
        ["gzip, identity", gzipSync(ping)],
        ["gzip", Buffer.from(ping)],
        ["aes128gcm", Buffer.from(ping)],
        ["unknown", Buffer.from(ping)],
        [Array.from({ length: 100 }, () => "gzip").join(","), gzipSync(ping)]
      ]
      yield* assertAllHostile(fixture, { status: 415, error: "unsupported_media_type" }, [
        ...bodies.map(([coding, body]): Hostile => [
          coding,
          () => fixture.bytes({ body, lines: [`Content-Encoding: ${coding}`] })
        ]),
        [
          "two fields",
          () => fixture.bytes({ body: gzipSync(ping), lines: ["Content-Encoding: identity", "Content-Encoding: gzip"] })
        ]
      ])
      // Encoded without a field that says so: it is not JSON.
      yield* assertAllHostile(fixture, { status: 400, error: "invalid_request" }, [
        ["gzip in disguise", () => fixture.bytes({ body: gzipSync(ping) })],
        ["gzip as identity", () => fixture.bytes({ body: gzipSync(ping), lines: ["Content-Encoding: identity"] })]
      ])
      yield* fixture.forwarded({ lines: ["Content-Encoding: identity"] })
    }))

  it.effect("HTTP-18 passes on an encoded response as it is", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      const text = `{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"x"}}}`
      for (const body of [ping, initialize]) {
        yield* reset
        yield* upstream.respondWith(responses.gzip(text))
        const { responses: [response], rest } = yield* send({ body, lines: ["Accept-Encoding: gzip"] })
        assert.deepStrictEqual([response?.status, rest.length], [200, 0])
        assert.deepStrictEqual(response?.headers("content-encoding"), ["gzip"])
        assert.strictEqual(latin1(response?.body ?? new Uint8Array()), latin1(gzipSync(text)))
      }
      // A response with additions is requested without encoding.
      assert.deepStrictEqual((yield* upstream.awaitRequest()).headers("accept-encoding"), ["identity"])
      yield* reset
    }))

  it.effect("HTTP-19 follows no redirect, and passes none on", () =>
    Effect.gen(function*() {
      const { gateway, reset, send, upstream } = yield* GatewayFixture
      const target = yield* makeRecordingUpstream
      const locations = [
        `${target.origin}/x`,
        `//${new URL(target.origin).host}/x`,
        "/elsewhere",
        `${gateway.origin}/mcp`
      ]
      for (const status of [300, 301, 302, 303, 307, 308]) {
        for (const location of locations) {
          for (const request of [{}, { method: "GET" }, { body: initialize }]) {
            yield* reset
            yield* upstream.respondWith(responses.redirect(location, status))
            const { responses: [response] } = yield* send(request)
            assert.deepStrictEqual([response?.status, JSON.parse(response?.text ?? "").error], [502, "server_error"])
            assert.isEmpty(response?.headers("location"))
            assert.lengthOf(upstream.requests(), 1, `${status} to ${location}`)
          }
        }
      }
      assert.isEmpty(target.requests())
      yield* reset
    }))
})
