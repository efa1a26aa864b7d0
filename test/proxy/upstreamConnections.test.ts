import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createServer, type Socket } from "node:net"
import { eventually } from "../fixtures/eventually.ts"
import { ping, toolCall } from "../fixtures/messages.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { rawExchange } from "../support/rawHttp.ts"

const response = (text = "{}", fields = "") =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n${fields}\r\n${text}`

interface Server {
  readonly gatewayUrl: string
  /** The received bytes of each connection so far. */
  readonly connections: ReadonlyArray<{ readonly requests: ReadonlyArray<string>; readonly isOpen: boolean }>
}

/** A server that handles each request at the level of the socket; here each request comes in one segment. */
const makeServer = (
  handle: (socket: Socket, request: string, nth: number, connection: number) => void
) =>
  Effect.acquireRelease(
    Effect.callback<Server & { readonly close: () => void }>((resume) => {
      const connections: Array<{ requests: Array<string>; isOpen: boolean }> = []
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        const connection = { requests: [] as Array<string>, isOpen: true }
        const place = connections.push(connection) - 1
        sockets.add(socket)
        socket.setNoDelay(true)
        socket.on("error", () => {})
        socket.on("close", () => {
          connection.isOpen = false
          sockets.delete(socket)
        })
        socket.on("data", (bytes) => {
          const request = bytes.toString("latin1")
          handle(socket, request, connection.requests.push(request), place)
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" ? address?.port : undefined
        resume(Effect.succeed({
          gatewayUrl: `http://127.0.0.1:${port}/internal`,
          connections,
          close: () => {
            for (const socket of sockets) socket.destroy()
            server.close()
          }
        }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const pay = toolCall("pay")

layer(Layer.empty, { excludeTestServices: true })("connections to the MCP server", (it) => {
  it.effect("a repeatable request survives when the server closes the connection as it arrives", () =>
    Effect.gen(function*() {
      // The second request of each connection meets its end.
      const server = yield* makeServer((socket, _, nth) => nth === 1 ? socket.write(response()) : socket.destroy())
      for (
        const request of [{}, { method: "GET" }, { method: "DELETE" }, { body: ping.replace("ping", "tools/list") }]
      ) {
        // A fixture of its own: a server that does this a few times is not trusted any more.
        const { send } = yield* GatewayFixture.make({ gatewayUrl: server.gatewayUrl })
        const before = server.connections.length
        for (let round = 0; round < 2; round++) {
          assert.strictEqual((yield* send(request)).responses[0]?.status, 200, JSON.stringify(request))
        }
        const used = server.connections.slice(before).map(({ requests }) => requests.length)
        assert.deepStrictEqual(used, [2, 1], JSON.stringify(request))
      }
    }))

  it.effect("a tool call is not repeated where the server may have read it, and the log says why it failed", () =>
    Effect.gen(function*() {
      const server = yield* makeServer((socket, _, nth) =>
        nth === 1 ? socket.write(response()) : socket.resetAndDestroy()
      )
      const { logs, send } = yield* GatewayFixture.make({ gatewayUrl: server.gatewayUrl })
      const statuses = [yield* send(), yield* send({ body: pay })].map(({ responses }) => responses[0]?.status)
      assert.deepStrictEqual(statuses, [200, 502])
      assert.deepStrictEqual(server.connections.map(({ requests }) => requests.length), [2])
      yield* eventually(() => logs.entries().join().includes("closed a connection that had been idle for"))
      assert.include(logs.entries().join(), "MCP_UPSTREAM_IDLE_TIMEOUT")
    }))

  it.effect("a request that fails on a new connection is not repeated, and the log does not blame an idle connection", () =>
    Effect.gen(function*() {
      const server = yield* makeServer((socket) => socket.destroy())
      const { logs, send } = yield* GatewayFixture.make({ gatewayUrl: server.gatewayUrl })
      assert.strictEqual((yield* send()).responses[0]?.status, 502)
      assert.lengthOf(server.connections, 1)
      yield* eventually(() => logs.entries().join().includes("before any response"))
      assert.notInclude(logs.entries().join(), "MCP_UPSTREAM_IDLE_TIMEOUT")
    }))

  it.effect("a request whose response has begun is not repeated", () =>
    Effect.gen(function*() {
      const server = yield* makeServer((socket, _, nth) => {
        if (nth === 1) socket.write(response())
        else socket.end("HTTP/1.1 200 OK\r\nContent-Le")
      })
      const { logs, send } = yield* GatewayFixture.make({ gatewayUrl: server.gatewayUrl })
      yield* send()
      assert.strictEqual((yield* send()).responses[0]?.status, 502)
      assert.deepStrictEqual(server.connections.map(({ requests }) => requests.length), [2])
      yield* eventually(() => logs.entries().join().includes("closed the connection during its response"))
    }))

  it.effect("a server that closes unannounced gets a new connection for each request in the end, and no call fails", () =>
    Effect.gen(function*() {
      const server = yield* makeServer((socket) => {
        socket.write(response())
        setTimeout(() => socket.end(), 1)
      })
      const { send } = yield* GatewayFixture.make({ gatewayUrl: server.gatewayUrl })
      for (let round = 0; round < 40; round++) {
        assert.strictEqual((yield* send()).responses[0]?.status, 200)
        yield* Effect.sleep("5 millis")
      }
      const before = server.connections.length
      for (let round = 0; round < 40; round++) {
        assert.strictEqual((yield* send({ body: pay })).responses[0]?.status, 200)
      }
      const used = server.connections.slice(before).map(({ requests }) => requests)
      assert.lengthOf(used, 40)
      for (const [request] of used) assert.match(request ?? "", /\r\nconnection: close\r\n/)
    }))

  it.effect("an idle connection is kept as long as the setting or the server says", () =>
    Effect.gen(function*() {
      const keeping = Effect.fnUntraced(function*(upstreamIdleMillis: number, fields = "") {
        const server = yield* makeServer((socket) => void socket.write(response("{}", fields)))
        const { send } = yield* GatewayFixture.make({ gatewayUrl: server.gatewayUrl, upstreamIdleMillis })
        yield* send()
        yield* send()
        return server.connections
      })
      assert.lengthOf(yield* keeping(60_000), 1)
      assert.lengthOf(yield* keeping(0), 2)
      // Less than the margin, so that it is not used again at all.
      assert.lengthOf(yield* keeping(60_000, "Keep-Alive: timeout=1\r\n"), 2)
      assert.lengthOf(yield* keeping(60_000, "Keep-Alive: timeout=5\r\n"), 1)
      const [short] = yield* keeping(50)
      yield* eventually(() => short?.isOpen === false)
    }))

  it.effect("unsolicited interim responses are ignored, and bodies that look like them are not", () =>
    Effect.gen(function*() {
      const text = "HTTP/1.1 100 Continue\r\n\r\n{}"
      const interim =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\nX: y\r\n\r\n"
      const server = yield* makeServer((socket, _, nth) => {
        const bytes = interim + response(text)
        if (nth === 1) return void socket.write(bytes)
        // In pieces.
        const pieces = bytes.match(/[^]{1,7}/g) ?? []
        const next = () => {
          const piece = pieces.shift()
          if (piece !== undefined) socket.write(piece, () => setImmediate(next))
        }
        next()
      })
      const { send } = yield* GatewayFixture.make({ gatewayUrl: server.gatewayUrl })
      for (let round = 0; round < 3; round++) {
        const { responses } = yield* send()
        assert.deepStrictEqual(responses.map(({ status, text }) => [status, text]), [[200, text]])
      }
      assert.lengthOf(server.connections, 1)
    }))

  it.effect("a client that leaves closes its connection to the server, and no other is opened for it", () =>
    Effect.gen(function*() {
      const server = yield* makeServer((socket, request) => {
        if (request.includes("tools/call")) return
        socket.write(response())
      })
      const { bytes, gateway, send } = yield* GatewayFixture.make({ gatewayUrl: server.gatewayUrl })
      for (let round = 0; round < 5; round++) {
        yield* rawExchange(gateway.origin, bytes({ body: pay }), { idleMillis: 50 })
        yield* eventually(() => server.connections.every(({ isOpen }) => !isOpen))
      }
      // By the end of another request, every connection that would be opened has been opened.
      assert.strictEqual((yield* send()).responses[0]?.status, 200)
      assert.deepStrictEqual(server.connections.map(({ requests }) => requests.length), [1, 1, 1, 1, 1, 1])
    }))
})
