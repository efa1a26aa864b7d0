import { assert, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { connect, type Socket } from "node:net"
import { message } from "../fixtures/messages.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import * as responses from "../support/upstreamResponses.ts"

/** What one connection may have open. */
const open = 64

const body = (id: number) => message("ping", undefined, String(id))

const probe = rawRequest(["GET /healthz HTTP/1.1", "Host: 127.0.0.1"])

/** A connection that sends bytes as fast as they are taken, and the statuses that have come back. */
const pipeline = Effect.fnUntraced(function*(port: number, bytes: string) {
  const statuses: Array<number> = []
  const socket = yield* Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect({ host: "127.0.0.1", port })
      socket.on("error", () => {})
      socket.once("connect", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
  // No body has such a line; one may be cut by the end of a segment.
  let rest = ""
  socket.setEncoding("latin1").on("data", (text: string) => {
    const lines = (rest + text).split("\r\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      const status = /^(?:.*\})?HTTP\/1\.1 ([0-9]{3}) /.exec(line)?.[1]
      if (status !== undefined) statuses.push(Number(status))
    }
  })
  socket.write(bytes, "latin1")
  return {
    socket,
    statuses,
    /** Waits until that many responses have begun. */
    begun: Effect.fnUntraced(function*(count: number) {
      while (statuses.length < count) yield* Effect.sleep(10)
      return statuses
    })
  }
})

/** The responses of the gateway to other requests, one after another. */
const neighbours = Effect.fnUntraced(function*(count: number) {
  const { gateway } = yield* GatewayFixture
  const seen: Array<number | undefined> = []
  for (let index = 0; index < count; index++) {
    const { responses: [reply] } = yield* rawExchange(gateway.origin, probe)
    seen.push(reply?.status)
  }
  return seen
})

/** Waits until the upstream has got no more requests for a while. */
const settled = Effect.gen(function*() {
  const { upstream } = yield* GatewayFixture
  for (let before = -1; before !== upstream.requests().length;) {
    before = upstream.requests().length
    yield* Effect.sleep(200)
  }
  return upstream.requests().length
})

layer(GatewayFixture.layer({ upstreamTimeoutMillis: 50_000 }), { excludeTestServices: true })(
  "A connection with pipelined requests",
  (it) => {
    it.effect("DOS-06 has 64 requests in progress, and gets all responses in order", () =>
      Effect.gen(function*() {
        const { bytes, gateway, reset, upstream } = yield* GatewayFixture
        yield* reset
        const release = yield* Deferred.make<void>()
        yield* upstream.respondWith((request, response) =>
          Effect.andThen(Deferred.await(release), responses.jsonRpc(request, response))
        )
        const ids = Array.from({ length: 500 }, (_, index) => index)
        const { begun } = yield* pipeline(gateway.port, ids.map((id) => bytes({ body: body(id) })).join(""))
        yield* upstream.awaitRequest(open)
        assert.strictEqual(yield* settled, open)
        assert.deepStrictEqual(yield* neighbours(3), [200, 200, 200])
        yield* Deferred.succeed(release, undefined)
        assert.deepStrictEqual(yield* begun(ids.length), ids.map(() => 200))
        const order = yield* Effect.forEach(
          upstream.requests(),
          (request) => Effect.map(request.body, (sent) => JSON.parse(Buffer.from(sent).toString()).id)
        )
        assert.deepStrictEqual(order.toSorted((one, other) => one - other), ids)
      }).pipe(Effect.scoped))

    it.effect("DOS-06 is not read while it waits: most of 60,000 requests stay with the client", () =>
      Effect.gen(function*() {
        const { bytes, forwarded, gateway, reset, upstream } = yield* GatewayFixture
        yield* reset
        const release = yield* Deferred.make<void>()
        yield* upstream.respondWith((request, response) =>
          Effect.andThen(Deferred.await(release), responses.jsonRpc(request, response))
        )
        const { socket } = yield* pipeline(gateway.port, bytes().repeat(60_000))
        yield* upstream.awaitRequest(open)
        assert.strictEqual(yield* settled, open)
        assert.isAbove(socket.writableLength, 0)
        socket.destroy()
        // It is noticed when the responses are written; what was held is forgotten then.
        yield* Deferred.succeed(release, undefined)
        assert.isBelow(yield* settled, 60_000)
        yield* reset
        yield* forwarded()
      }).pipe(Effect.scoped))

    it.effect("DOS-03 takes turns with others, however many bad requests it sends", () =>
      Effect.gen(function*() {
        const { bytes, gateway, reset, upstream } = yield* GatewayFixture
        yield* reset
        const total = 4_000
        const { begun, statuses } = yield* pipeline(
          gateway.port,
          bytes({ authorization: "Bearer nobody", body: null, contentType: null }).repeat(total)
        )
        yield* begun(1)
        assert.deepStrictEqual(yield* neighbours(5), [200, 200, 200, 200, 200])
        // The neighbours did not wait for the end of it.
        assert.isBelow(statuses.length, total)
        assert.deepStrictEqual(new Set(yield* begun(total)), new Set([401]))
        assert.lengthOf(upstream.requests(), 0)
      }).pipe(Effect.scoped))

    it.effect("delivers a long message behind 64 others, and cancels all requests when it closes", () =>
      Effect.gen(function*() {
        const { bytes, gateway, reset, upstream } = yield* GatewayFixture
        yield* reset
        const long = message("ping", `{"text":"${"a".repeat(2_000_000)}"}`)
        const requests = bytes().repeat(100) + bytes({ body: long }) + bytes()
        const { begun } = yield* pipeline(gateway.port, requests)
        assert.deepStrictEqual(new Set(yield* begun(102)), new Set([200]))
        yield* reset
        yield* upstream.respondWith(responses.hang)
        const leaving = yield* pipeline(gateway.port, bytes().repeat(40))
        yield* upstream.awaitRequest(40)
        leaving.socket.destroy()
        for (const request of upstream.requests()) assert.strictEqual(yield* request.ended, "Aborted")
      }).pipe(Effect.scoped))
  }
)
