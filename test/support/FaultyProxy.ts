/** A TCP proxy on loopback between a client and a server, which corrupts what the server sends. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import { createConnection, createServer, type Socket } from "node:net"

/** What the proxy does with the server's bytes. */
export type Fault =
  | { readonly _tag: "None" }
  /** Each piece is delayed by this time. */
  | { readonly _tag: "Late"; readonly millis: number }
  /** Nothing is forwarded, and connections stay open. */
  | { readonly _tag: "Silent" }
  /** The connection is closed in the middle of the next piece. */
  | { readonly _tag: "Cut" }
  /** Other bytes are forwarded. */
  | { readonly _tag: "Changed"; readonly change: (piece: Buffer) => Buffer }

export interface FaultyProxy {
  readonly port: number
  readonly become: (fault: Fault) => Effect.Effect<void>
  /** How many pieces clients have sent. */
  readonly asked: () => number
}

/** Starts a proxy in front of a port of this machine. */
export const makeFaultyProxy = (target: number): Effect.Effect<FaultyProxy, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      let fault: Fault = { _tag: "None" }
      let asked = 0
      const sockets = new Set<Socket>()
      const keep = (socket: Socket) => {
        sockets.add(socket)
        socket.on("error", () => socket.destroy())
        socket.on("close", () => sockets.delete(socket))
      }
      const server = createServer((client) => {
        const upstream = createConnection({ host: "127.0.0.1", port: target })
        keep(client)
        keep(upstream)
        client.on("data", (piece) => {
          asked++
          upstream.write(piece)
        })
        upstream.on("data", (piece) => {
          switch (fault._tag) {
            case "None":
              client.write(piece)
              break
            case "Late":
              setTimeout(() => client.write(piece), fault.millis)
              break
            case "Silent":
              break
            case "Cut":
              client.write(piece.subarray(0, Math.ceil(piece.length / 2)), () => client.destroy())
              break
            case "Changed":
              client.write(fault.change(piece))
              break
          }
        })
        client.on("close", () => upstream.destroy())
        upstream.on("close", () => client.destroy())
      })
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      const address = server.address()
      if (address === null || typeof address === "string") throw new Error("no port")
      return {
        port: address.port,
        become: (next: Fault) =>
          Effect.sync(() => {
            fault = next
          }),
        asked: () => asked,
        close: () => {
          server.close()
          for (const socket of sockets) socket.destroy()
        }
      }
    }),
    ({ close }) => Effect.sync(close)
  )
