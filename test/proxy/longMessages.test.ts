import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { connect } from "node:net"
import { initializeWith, message } from "../fixtures/messages.ts"
import { envelope, modernFields } from "../fixtures/modernMessages.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { rawExchange } from "../support/rawHttp.ts"
import type { UpstreamHandler } from "../support/RecordedRequest.ts"
import * as responses from "../support/upstreamResponses.ts"

const MiB = 1024 * 1024
const Fixture = GatewayFixture.layer({ maxBodyBytes: 64 * MiB })
const ok = responses.respond({ headers: { "content-type": "application/json" }, body: "{}" })

const call = (blob: string, more = ""): string =>
  message("tools/call", `{"name":"store"${more},"arguments":{"blob":"${blob}"}}`)

const initialize = (padding: string): string => initializeWith(`{"capabilities":{"experimental":{"x":"${padding}"}}}`)

const initialized = responses.respond({
  headers: { "content-type": "application/json" },
  body: `{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"s"}}}`
})

/** Reads a chunk, and rests. */
const sluggish: UpstreamHandler = (request, response) => {
  response.req.on("data", () => {
    response.req.pause()
    setTimeout(() => response.req.resume(), 12)
  })
  return Effect.andThen(request.body, ok(request, response))
}

/** Text in the transfer coding without a length. */
const chunked = (text: string): string => {
  const size = 100_000
  const chunks = Array.from(
    { length: Math.ceil(text.length / size) },
    (_, at) => text.slice(at * size, (at + 1) * size)
  )
  return `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("")}0\r\n\r\n`
}

/** Reads nothing for a second. */
const stalling: UpstreamHandler = (request, response) =>
  Effect.gen(function*() {
    response.req.pause()
    yield* Effect.sleep("1 second")
    response.req.resume()
    yield* request.body
    yield* ok(request, response)
  })

layer(Fixture, { excludeTestServices: true })("messages that are too long to be buffered", (it) => {
  it.effect("FWD-40 arrive byte for byte, with or without a length", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      const message = call("é\\u00e9".repeat(400_000))
      const latin1 = Buffer.from(message).toString("latin1")
      const undeclared = bytes({ body: null, contentType: "application/json", lines: ["Transfer-Encoding: chunked"] })
      for (const sent of [bytes({ body: message }), undeclared + chunked(latin1)]) {
        yield* reset
        yield* upstream.respondWith(ok)
        const { responses: [reply] } = yield* rawExchange(gateway.origin, sent)
        assert.strictEqual(reply?.status, 200)
        const [request] = upstream.requests()
        const body = yield* request?.body ?? Effect.die("nothing arrived")
        assert.isTrue(Buffer.from(message).equals(body), `${body.length} bytes of ${Buffer.byteLength(message)}`)
      }
    }))

  it.effect("FWD-41 lose the forged context, wherever it is", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith(ok)
      const blob = "x".repeat(2 * MiB)
      yield* rawExchange(gateway.origin, bytes({ body: call(blob, `,"_authContext":{"a":"${"y".repeat(MiB)}"}`) }))
      const [request] = upstream.requests()
      assert.strictEqual(Buffer.from(yield* request?.body ?? Effect.die("nothing arrived")).toString(), call(blob))
    }))

  it.effect("FWD-42 carry the caller if they are initialize, and so do their responses", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith(initialized)
      const { responses: [reply] } = yield* rawExchange(
        gateway.origin,
        bytes({ body: initialize("x".repeat(2 * MiB)), lines: ["Accept-Encoding: gzip"] })
      )
      const [request] = upstream.requests()
      const text = Buffer.from(yield* request?.body ?? Effect.die("nothing arrived")).toString()
      const { _authContext } = JSON.parse(text).params
      assert.isString(_authContext.authenticated_user)
      assert.deepStrictEqual(request?.headers("accept-encoding"), ["identity"])
      assert.deepStrictEqual(JSON.parse(reply?.text ?? "").result.serverInfo.authInfo, _authContext)
    }))

  it.effect("FWD-43 are rejected for a late mistake, and never arrive complete", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      const good = call("x".repeat(3 * MiB))
      const bad = [
        [good.replace(/}$/, ""), 400],
        [good.replace(/}$/, `,"method":"initialize"}`), 400],
        [`${good}{}`, 400],
        [call("x".repeat(65 * MiB)), 413]
      ] as const
      for (const [message, status] of bad) {
        yield* reset
        const body = chunked(message)
        const head = bytes({ body: null, contentType: "application/json", lines: ["Transfer-Encoding: chunked"] })
        const { responses: [reply] } = yield* rawExchange(gateway.origin, head + body)
        assert.strictEqual(reply?.status, status)
        const [request] = upstream.requests()
        if (request !== undefined) {
          assert.strictEqual(yield* request.ended, "Aborted")
          assert.throws(() => JSON.parse(Buffer.from(request.received()).toString()))
        }
      }
      // Positive control: the same without the mistake.
      yield* reset
      yield* upstream.respondWith(ok)
      const { responses: [reply] } = yield* rawExchange(gateway.origin, bytes({ body: good }))
      assert.strictEqual(reply?.status, 200)
    }))

  it.effect("FWD-44 are read no faster than the MCP server takes them", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith(stalling)
      const message = bytes({ body: call("x".repeat(48 * MiB)), lines: ["Connection: close"] })
      let sent = 0
      const sending = yield* Effect.forkScoped(Effect.callback<void>((resume) => {
        const socket = connect(gateway.port, "127.0.0.1")
        const next = (at: number) => {
          if (at >= message.length) return
          socket.write(message.slice(at, at + 65_536), "latin1", () => {
            sent = at + 65_536
            next(at + 65_536)
          })
        }
        next(0)
        socket.on("error", () => undefined)
        socket.on("data", () => undefined)
        socket.on("close", () => resume(Effect.void))
      }))
      yield* upstream.awaitRequest()
      yield* Effect.sleep("700 millis")
      assert.isBelow(sent, 32 * MiB)
      yield* Fiber.join(sending)
      const request = yield* upstream.awaitRequest()
      assert.strictEqual((yield* request.body).length, call("x".repeat(48 * MiB)).length)
    }))

  it.effect("MO-1 MO-10 MCP-15 are compared with the fields that repeat them, and rejected before their end", () =>
    Effect.gen(function*() {
      const { forwarded, reset, send, upstream } = yield* GatewayFixture
      const blob = `"arguments":{"blob":"${"x".repeat(2 * MiB)}","region":"eu"}`
      const bodies = (meta: string): ReadonlyArray<string> => [
        `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"store",${blob}${meta}}}`,
        `{"params":{${blob},"name":"store"${meta}},"id":7,"method":"tools/call"}`
      ]
      const fields = modernFields("tools/call", "store")
      for (const body of bodies(`,${envelope()}`)) {
        for (const more of [[], ["Mcp-Param-Region: eu"]]) {
          yield* reset
          yield* upstream.respondWith(ok)
          const request = yield* forwarded({ body, lines: [...fields, ...more] })
          assert.strictEqual(Buffer.from(yield* request.body).toString(), body)
        }
        const disagreeing = [
          [[], -32020],
          [modernFields("tools/call"), -32020],
          [modernFields("tools/call", "other"), -32020],
          [modernFields("tools/list"), -32020],
          [[...fields, "Mcp-Param-Region: us"], -32020],
          [modernFields("tools/call", "store", "2025-11-25"), -32020]
        ] as const
        for (const [lines, code] of disagreeing) {
          yield* reset
          yield* upstream.respondWith(ok)
          const { responses: [reply] } = yield* send({ body, lines })
          const { error, id } = JSON.parse(reply?.text ?? "")
          assert.deepStrictEqual([reply?.status, id, error.code], [400, 7, code], lines.join())
          for (const request of upstream.requests()) assert.strictEqual(yield* request.ended, "Aborted")
        }
      }
      for (const body of bodies("")) {
        const { responses: [reply] } = yield* send({ body, lines: fields })
        assert.deepStrictEqual([reply?.status, JSON.parse(reply?.text ?? "").error.code], [400, -32602])
      }
      const { responses: [reply] } = yield* send({ body: call("x".repeat(2 * MiB)).replace(`"store"`, `["store"]`) })
      assert.strictEqual(reply?.status, 400)
    }))

  it.effect("FWD-45 end with the client that sends them", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      yield* reset
      const message = bytes({ body: call("x".repeat(8 * MiB)) })
      yield* rawExchange(gateway.origin, message.slice(0, 4 * MiB), { idleMillis: 300 })
      const request = yield* upstream.awaitRequest()
      assert.strictEqual(yield* request.ended, "Aborted")
    }))

  it.effect("FWD-46 may get a response before their end", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith((_request, response) =>
        Effect.sync(() => {
          response.writeHead(503, { "content-type": "application/json", "content-length": "2" }).end("{}")
        })
      )
      const { responses: [reply] } = yield* rawExchange(gateway.origin, bytes({ body: call("x".repeat(16 * MiB)) }))
      assert.strictEqual(reply?.status, 503)
    }))

  it.effect("FWD-47 arrive whole although the MCP server reads slower than the client sends", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith(sluggish)
      const message = call("x".repeat(16 * MiB))
      const { responses: [reply] } = yield* rawExchange(gateway.origin, bytes({ body: message }))
      assert.strictEqual(reply?.status, 200)
      const request = yield* upstream.awaitRequest()
      assert.strictEqual(Buffer.from(yield* request.body).toString(), message)
    }))
})

layer(GatewayFixture.layer({ maxBodyBytes: 64 * MiB, upstreamTimeoutMillis: 500 }), { excludeTestServices: true })(
  "messages that are too long for the MCP server",
  (it) => {
    it.effect("FWD-48 get 504 when it stops reading them", () =>
      Effect.gen(function*() {
        const { bytes, gateway, reset, upstream } = yield* GatewayFixture
        yield* reset
        yield* upstream.respondWith((_request, response) =>
          Effect.andThen(Effect.sync(() => response.req.pause()), Effect.never)
        )
        const sent = bytes({ body: call("x".repeat(32 * MiB)) })
        const { responses: [reply] } = yield* rawExchange(gateway.origin, sent)
        assert.strictEqual(reply?.status, 504)
      }))
  }
)

layer(GatewayFixture.layer({ maxBodyBytes: 64 * MiB, gatewayUrl: "http://127.0.0.1:1/" }), {
  excludeTestServices: true
})(
  "messages that are too long, without an MCP server",
  (it) => {
    it.effect("FWD-49 get 502, and their connection ends instead of waiting for the rest", () =>
      Effect.gen(function*() {
        const { bytes, gateway } = yield* GatewayFixture
        const sent = bytes({ body: call("x".repeat(32 * MiB)) })
        const { responses: [reply], outcome } = yield* rawExchange(gateway.origin, sent, {
          responses: Number.POSITIVE_INFINITY,
          idleMillis: 8_000
        })
        assert.strictEqual(reply?.status, 502)
        assert.include(["Closed", "Reset"], outcome)
      }))
  }
)
