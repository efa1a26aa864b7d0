import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { ServerResponse } from "node:http"
import { connect, type Socket } from "node:net"
import { makeHttpServer } from "../../src/node/httpServer.ts"
import { eventually } from "../fixtures/eventually.ts"
import { settings } from "../fixtures/settings.ts"
import { elementsTouched } from "../support/elementsTouched.ts"

/** Requests that begin in one turn of the event loop, at most. */
const inTurn = 32

/** The maximum number of open requests on one connection. */
const open = 64

/** The shortest requests there are: of them one segment holds the most. */
const shortest = "GET / HTTP/1.1\r\nhost:a\r\n\r\n"

/** A short call: the response comes before its body is parsed. */
const call = "POST / HTTP/1.1\r\nhost:a\r\ncontent-length:2\r\n\r\n{}"

/** A server that counts the requests that begin in each turn, and responds as configured. */
const counting = Effect.fnUntraced(function*(reply: (response: ServerResponse) => void) {
  let turn = 0
  let begun = 0
  const most = { inTurn: 0, all: 0 }
  const began = { at: new Map<string | undefined, number>(), turn: () => turn }
  let counts = true
  const count = (): void => {
    turn++
    begun = 0
    if (counts) setImmediate(count)
  }
  setImmediate(count)
  const server = makeHttpServer(() => settings("http://127.0.0.1:9"), (request, response) => {
    begun++
    most.all++
    most.inTurn = Math.max(most.inTurn, begun)
    began.at.set(request.url, turn)
    reply(response)
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.callback<void>((resume) => {
        counts = false
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const address = server.address()
  return { port: typeof address === "object" && address !== null ? address.port : 0, most, began }
})

const dial = Effect.fnUntraced(function*(port: number, localAddress = "127.0.0.1") {
  const socket = yield* Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect({ host: "127.0.0.1", port, localAddress })
      socket.on("error", () => {})
      socket.once("connect", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
  let received = ""
  socket.setEncoding("latin1").on("data", (text: string) => {
    received += text
  })
  return {
    socket,
    responses: () => received.split("HTTP/1.1 200").length - 1
  }
})

const isCut = ({ socket }: { readonly socket: Socket }): boolean => socket.closed

describe("connections whose clients send ahead", () => {
  it.live("DOS-03 begin a few requests in each turn of the event loop, however fast the responses are", () =>
    Effect.gen(function*() {
      const { most, port } = yield* counting((response) => response.end())
      const clients = yield* Effect.forEach([1, 2, 3], () => dial(port))
      const total = 600
      for (const { socket } of clients) socket.write(call.repeat(total))
      yield* eventually(() => clients.every(({ responses }) => responses() === total))
      assert.isAtMost(most.inTurn, 2 * inTurn)
      assert.strictEqual(most.all, clients.length * total)
    }))

  it.live("DOS-03 leave the next turn to a neighbour", () =>
    Effect.gen(function*() {
      const { began, most, port } = yield* counting((response) => response.end())
      const flooder = yield* dial(port)
      const neighbour = yield* dial(port, "127.0.0.9")
      const total = 1_500
      flooder.socket.write(call.repeat(total))
      yield* eventually(() => most.all > 0)
      neighbour.socket.write(call.replace("/", "/neighbour"))
      yield* eventually(() => neighbour.responses() === 1)
      yield* eventually(() => flooder.responses() === total)
      const turnsAfter = began.turn() - (began.at.get("/neighbour") ?? 0)
      // The rest of the flood took its turns afterwards.
      assert.isAbove(turnsAfter, 0)
      assert.isAtMost(most.inTurn, 2 * inTurn)
    }))

  it.live("DOS-06 are cut where they hold more than their share of all that may wait; others are served", () =>
    Effect.gen(function*() {
      const waiting: Array<ServerResponse> = []
      let isReleased = false
      const { most, port } = yield* counting((response) => {
        if (isReleased || response.req.url === "/neighbour") response.end()
        else waiting.push(response)
      })
      const flooders = yield* Effect.forEach(Array.from({ length: 8 }), () => dial(port))
      // A segment of 64 KiB holds 2,500 of them; 4,096 may wait, and one peer gets half of that.
      for (const { socket } of flooders) socket.write(shortest.repeat(2_500))
      yield* eventually(() => flooders.filter(isCut).length >= flooders.length / 2)
      assert.isAtMost(most.all, flooders.length * open)
      const neighbour = yield* dial(port, "127.0.0.9")
      neighbour.socket.write(shortest.replace("/", "/neighbour").repeat(100))
      yield* eventually(() => neighbour.responses() === 100)
      isReleased = true
      for (const response of waiting) response.end()
      // The rest of them was within the share, and is served.
      yield* eventually(() => flooders.every((flooder) => isCut(flooder) || flooder.responses() === 2_500))
    }))

  it.live("are served in full where they hold less", () =>
    Effect.gen(function*() {
      const { port } = yield* counting((response) => void setTimeout(() => response.end(), 5))
      const clients = yield* Effect.forEach([1, 2, 3], () => dial(port))
      for (const { socket } of clients) socket.write(shortest.repeat(500))
      yield* eventually(() => clients.every(({ responses }) => responses() === 500))
    }))

  it.live("cost the same work for each request, however many are open (DOS-06)", () =>
    Effect.gen(function*() {
      const { port } = yield* counting((response) => void setTimeout(() => response.end(), 20))
      const touchedFor = (total: number) =>
        elementsTouched(
          Effect.gen(function*() {
            const { responses, socket } = yield* dial(port)
            socket.write(call.repeat(total))
            yield* eventually(() => responses() === total)
          }).pipe(Effect.scoped)
        ).pipe(Effect.map((touched) => touched / total))
      // Once for what is done at the first request only.
      yield* touchedFor(100)
      const few = yield* touchedFor(100)
      const many = yield* touchedFor(1_000)
      assert.isAtMost(many, 2 * few)
    }))
})
