/** How many times the relay writes to the client's connection. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createServer, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { ResponseReceiver } from "../../src/forward/GatewayClient.ts"
import type { Relay } from "../../src/http/course/steps.ts"
import { type RelayedExchange, ResponseRelay } from "../../src/node/endpoint/ResponseRelay.ts"

const step: Relay = {
  _tag: "Relay",
  status: 200,
  headers: { "content-type": "text/event-stream" },
  change: undefined,
  life: () => undefined
}

const flow = { pause: () => {}, resume: () => {} }
const event = new TextEncoder().encode("data: 1\n\n")

/** Counts what leaves the process: each call of these is one system call, as long as the socket takes it all. */
const countWrites = (socket: Socket): { readonly writes: () => number } => {
  let writes = 0
  const { _write, _writev } = socket
  socket._write = (...call) => {
    writes++
    return _write.apply(socket, call)
  }
  if (_writev !== undefined) {
    socket._writev = (...call) => {
      writes++
      return _writev.apply(socket, call)
    }
  }
  return { writes: () => writes }
}

/** Sends one request, and passes the MCP server's response, which `respond` defines, to a relay. */
const relayed = Effect.fnUntraced(function*(respond: (relay: ResponseReceiver) => void) {
  let counted = { writes: () => 0 }
  const server = createServer((_request, response: ServerResponse) => {
    // The relay uses nothing else of its exchange here.
    const exchange = { response, attempt: (step: () => void) => step(), begun: () => {} } as unknown as RelayedExchange
    respond(
      new ResponseRelay(exchange, {
        request: { method: "POST", target: "/", headers: {}, body: undefined },
        message: undefined,
        head: () => step,
        rejected: () => assert.fail("nothing is rejected")
      })
    )
  })
  server.on("connection", (socket) => {
    counted = countWrites(socket)
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () => Effect.sync(() => server.close())
  )
  const address = server.address()
  assert.isTrue(typeof address === "object" && address !== null)
  const { port } = address as { readonly port: number }
  const body = yield* Effect.promise(async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })
    return response.text()
  })
  return { body, writes: counted.writes() }
})

describe("ResponseRelay", () => {
  it.live("writes once for an event stream that arrives in one piece", () =>
    Effect.gen(function*() {
      const { body, writes } = yield* relayed((relay) => {
        relay.begin({ status: 200, headers: step.headers }, flow)
        relay.piece(event)
        relay.end()
      })
      assert.strictEqual(body, "data: 1\n\n")
      assert.strictEqual(writes, 1)
    }))

  it.live("writes the head at once if no event arrives with it, and each event when it arrives", () =>
    Effect.gen(function*() {
      const { body, writes } = yield* relayed((relay) => {
        relay.begin({ status: 200, headers: step.headers }, flow)
        setImmediate(() => {
          relay.piece(event)
          setImmediate(() => {
            relay.piece(event)
            setImmediate(() => relay.end())
          })
        })
      })
      assert.strictEqual(body, "data: 1\n\ndata: 1\n\n")
      assert.strictEqual(writes, 4)
    }))
})
