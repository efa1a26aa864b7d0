import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { connect, type Socket } from "node:net"
import { ClientPace } from "../../src/node/ClientPace.ts"
import { inSlices } from "../../src/node/inSlices.ts"
import { ping } from "../fixtures/messages.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { rawExchange } from "../support/rawHttp.ts"

const Fixture = GatewayFixture.layer({ clientHeadMillis: 1_000, clientBodyMillis: 2_000, clientIdleMillis: 1_000 })

/** A request and its response on a server of Node's, with the client's end of the connection. */
const exchange = (send: string) =>
  Effect.acquireRelease(
    Effect.callback<{ client: Socket; request: IncomingMessage; response: ServerResponse; close: () => void }>(
      (resume) => {
        const server = createServer((request, response) => {
          const close = () => {
            client.destroy()
            server.closeAllConnections()
            server.close()
          }
          resume(Effect.succeed({ client, request, response, close }))
        })
        let client: Socket
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          client = connect(typeof address === "object" ? address?.port ?? 0 : 0, "127.0.0.1", () => client.write(send))
          client.on("error", () => {})
          client.pause()
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  )

const makePace = ({ request, response }: { request: IncomingMessage; response: ServerResponse }) => {
  const pace = new ClientPace({ minRate: () => 100, windowMillis: 10_000, streamWindowMillis: 60_000 })
  pace.watch(request, response)
  return (now: number) => {
    const slow: Array<string> = []
    pace.look(now, (_, action) => slow.push(action))
    return slow
  }
}

const soon = Effect.sleep("30 millis")

/** Lines that make a head of so many fields, with Host, Authorization, Content-Type and Content-Length. */
const fields = (count: number) => Array.from({ length: count - 4 }, (_, index) => `x${index}: `)

layer(Fixture, { excludeTestServices: true })("slow clients", (it) => {
  it.effect("get 408 for a late head or body, about when the setting says", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      yield* reset
      const late = bytes().slice(0, -ping.length - 10)
      // Node cuts what is late when it looks; by default that is every 30 s, which this test would not live to see.
      const head = yield* rawExchange(gateway.origin, late, { idleMillis: 4_000 })
      assert.deepStrictEqual([head.outcome, head.responses[0]?.status], ["Responded", 408])
      const body = yield* rawExchange(gateway.origin, bytes().slice(0, -10), { idleMillis: 6_000 })
      assert.deepStrictEqual([body.outcome, body.responses[0]?.status], ["Responded", 408])
      assert.isEmpty(upstream.requests())
    }))

  it.effect("keep an idle connection as long as the setting says", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset } = yield* GatewayFixture
      yield* reset
      const { responses: [reply], outcome } = yield* rawExchange(gateway.origin, bytes(), {
        responses: Infinity,
        idleMillis: 6_000
      })
      assert.deepStrictEqual([outcome, reply?.status], ["Closed", 200])
      assert.deepStrictEqual(reply?.headers("keep-alive"), ["timeout=1"])
    }))

  it.effect("are cut off while their body is slower than the setting allows", () =>
    Effect.gen(function*() {
      const opened = yield* exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n")
      const look = makePace(opened)
      const { client, request } = opened
      // The client does not read it: it is not the client's turn.
      assert.deepStrictEqual([look(1), look(60_001)], [[], []])
      request.resume()
      assert.deepStrictEqual([look(100_000), look(109_999)], [[], []])
      client.write("x".repeat(1_000))
      yield* soon
      assert.deepStrictEqual([look(110_000), look(119_999)], [[], []])
      client.write("x".repeat(999))
      yield* soon
      assert.deepStrictEqual(look(120_000), ["Writing"])
      request.pause()
      assert.deepStrictEqual([look(121_000), look(200_000)], [[], []])
      request.resume()
      client.write("x".repeat(3_001))
      yield* soon
      // All of it is here.
      assert.deepStrictEqual([look(300_000), look(400_000)], [[], []])
    }))

  it.effect("are cut off while they read more slowly than the setting allows; event streams get more time", () =>
    Effect.gen(function*() {
      const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
      const big = Buffer.alloc(32 * 1024 * 1024)
      const whole = yield* exchange(get)
      const look = makePace(whole)
      assert.deepStrictEqual([look(1), look(90_001)], [[], []])
      whole.response.writeHead(200, { "content-length": big.length })
      whole.response.end(big)
      yield* soon
      assert.deepStrictEqual([look(100_000), look(109_999)], [[], []])
      assert.deepStrictEqual(look(110_000), ["Reading"])
      // It reads: a part of the one write that is in flight leaves.
      whole.client.once("data", () => whole.client.pause())
      whole.client.resume()
      yield* Effect.sleep("200 millis")
      whole.client.resume()
      yield* Effect.sleep("200 millis")
      whole.client.pause()
      assert.deepStrictEqual(look(120_000), [])

      const stream = yield* exchange(get)
      const lookAtStream = makePace(stream)
      stream.response.writeHead(200, { "content-type": "text/event-stream" })
      stream.response.write(big)
      yield* soon
      assert.deepStrictEqual([lookAtStream(1), lookAtStream(60_000)], [[], []])
      assert.deepStrictEqual(lookAtStream(60_001), ["Reading"])
      // A silent client is not slow.
      const silent = yield* exchange(get)
      const lookAtSilent = makePace(silent)
      silent.response.writeHead(200, { "content-type": "text/event-stream" })
      silent.response.flushHeaders()
      yield* soon
      assert.deepStrictEqual([lookAtSilent(1), lookAtSilent(900_000)], [[], []])
    }))

  it.effect("are cut off a few at a time, in order, when many are late at once", () =>
    Effect.gen(function*() {
      const turns: Array<number> = []
      const seen: Array<number> = []
      let turn = 0
      const take = inSlices<number>(4, (thing) => {
        seen.push(thing)
        turns.push(turn)
      })
      const count = () => {
        if (++turn < 20) setImmediate(count)
      }
      setImmediate(count)
      for (let thing = 0; thing < 10; thing++) take(thing)
      assert.isEmpty(seen)
      yield* Effect.sleep("50 millis")
      assert.deepStrictEqual(seen, Array.from({ length: 10 }, (_, thing) => thing))
      for (const now of new Set(turns)) assert.isAtMost(turns.filter((other) => other === now).length, 4)
      take(10)
      yield* soon
      assert.strictEqual(seen.at(-1), 10)
    }))

  it.effect("HTTP-10 get 431 for a head of more than 256 fields; one of 256 passes, and none is dropped silently", () =>
    Effect.gen(function*() {
      const { bytes, forwarded, gateway, reset, send, token, upstream } = yield* GatewayFixture
      yield* reset
      const request = yield* forwarded({ lines: fields(256) })
      assert.lengthOf(request.headers("x251"), 1)
      yield* reset
      for (const lines of [fields(257), fields(1_500)]) {
        const { responses: [reply] } = yield* send({ lines })
        assert.deepStrictEqual(
          [reply?.status, JSON.parse(reply?.text ?? "{}").error, reply?.headers("connection")],
          [431, "request_header_fields_too_large", ["close"]]
        )
      }
      const expecting = bytes({ lines: [...fields(300), "Expect: 100-continue"] })
      assert.strictEqual((yield* rawExchange(gateway.origin, expecting)).responses[0]?.status, 431)
      const second = yield* send({ lines: [...fields(255), `Authorization: Bearer ${token}`] })
      assert.strictEqual(second.responses[0]?.status, 400)
      assert.isEmpty(upstream.requests())
    }))
})
