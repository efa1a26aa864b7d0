import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import { connect, type Socket } from "node:net"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import type { UpstreamHandler } from "../support/RecordedRequest.ts"
import * as responses from "../support/upstreamResponses.ts"

const MiB = 1024 * 1024
const Fixture = GatewayFixture.layer()

const usage = (): number => {
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return arrayBuffers + heapUsed
}

/** Sends the fixture's request; the response waits in the socket until it is read. */
const ask = Effect.gen(function*() {
  const { bytes, gateway } = yield* GatewayFixture
  return yield* Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect(gateway.port, "127.0.0.1", () => {
        socket.pause()
        socket.write(bytes({ lines: ["Connection: close"] }))
        resume(Effect.succeed(socket))
      })
      socket.on("error", () => undefined)
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
})

/** Reads to the end, discarding the bytes, and returns their number. */
const readAll = (socket: Socket): Effect.Effect<number> =>
  Effect.callback((resume) => {
    let bytes = 0
    socket.on("data", (chunk) => {
      bytes += chunk.length
    })
    socket.on("close", () => resume(Effect.succeed(bytes)))
    socket.resume()
  })

/** Writes without end, as fast as its socket takes it, and counts what was taken. */
const counting = (taken: Ref.Ref<number>, contentType: string): UpstreamHandler =>
  Effect.fnUntraced(function*(request, response) {
    yield* request.body
    response.writeHead(200, { "content-type": contentType })
    const block = Buffer.from(`data: ${"x".repeat(65_526)}\n\n`)
    for (;;) {
      yield* Effect.callback<void>((resume) => {
        response.write(block, () => resume(Effect.void))
      })
      yield* Ref.update(taken, (bytes) => bytes + block.length)
    }
  })

/** Waits until nothing was taken for a while, or too much. */
const standstill = Effect.fnUntraced(function*(taken: Ref.Ref<number>, limit: number) {
  for (;;) {
    const before = yield* Ref.get(taken)
    yield* Effect.sleep("300 millis")
    const after = yield* Ref.get(taken)
    if (after > limit || (after === before && after > 0)) return after
  }
})

layer(Fixture, { excludeTestServices: true })("back-pressure", (it) => {
  it.effect("100 MiB pass complete, in bounded memory", () =>
    Effect.gen(function*() {
      const { reset, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith(responses.bigStream(100 * MiB))
      const before = usage()
      let peak = before
      const sampling = yield* Effect.forkScoped(
        Effect.forever(Effect.delay(
          Effect.sync(() => {
            peak = Math.max(peak, usage())
          }),
          "5 millis"
        ))
      )
      const bytes = yield* readAll(yield* ask)
      sampling.interruptUnsafe()
      assert.isAtLeast(bytes, 100 * MiB)
      assert.isBelow(bytes, 101 * MiB)
      // Upstream, gateway and client share this process; of what passed, most must be gone at any moment.
      assert.isBelow(peak - before, 80 * MiB)
    }), 60_000)

  it.effect(
    "a client that does not read stops the MCP server, and one that reads again lets it continue",
    () =>
      Effect.gen(function*() {
        const { forwarded, reset, upstream } = yield* GatewayFixture
        for (const contentType of ["application/octet-stream", "text/event-stream"]) {
          yield* reset
          const taken = yield* Ref.make(0)
          yield* upstream.respondWith(counting(taken, contentType))
          const socket = yield* ask
          // Two sockets' buffers, each as large as the kernel lets it grow, and the gateway's own few hundred KiB.
          const limit = 32 * MiB
          const stopped = yield* standstill(taken, limit)
          assert.isBelow(stopped, limit)
          socket.resume()
          while (yield* Effect.map(Ref.get(taken), (bytes) => bytes < stopped + limit)) yield* Effect.sleep("5 millis")
          const request = yield* upstream.awaitRequest()
          socket.destroy()
          assert.strictEqual(yield* Effect.timeout(request.ended, "3 seconds"), "Aborted")
          yield* reset
          yield* forwarded()
        }
      }),
    60_000
  )
})
