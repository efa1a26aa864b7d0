/** Ports of this machine that are taken, or known to be free. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { connect, createServer, type Server } from "node:net"

const listen = (server: Server, port: number): Effect.Effect<number> =>
  Effect.callback<number>((resume) => {
    server.once("error", (cause) => resume(Effect.die(cause)))
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
  })

/** A port on which somebody listens for as long as the scope lives. */
export const takenPort: Effect.Effect<number, never, Scope.Scope> = Effect.flatMap(
  Effect.acquireRelease(Effect.sync(() => createServer()), close),
  (server) => listen(server, 0)
)

/** A port on which nobody listens now. */
export const closedPort: Effect.Effect<number> = Effect.scoped(takenPort)

/** Hands connections to `port` on to another port of this machine, until the scope closes. */
export const forwardPort = Effect.fnUntraced(
  function*(port: number, target: number): Effect.fn.Return<void, never, Scope.Scope> {
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        createServer((client) => {
          const peer = connect({ host: "127.0.0.1", port: target })
          client.on("error", () => peer.destroy())
          peer.on("error", () => client.destroy())
          client.pipe(peer).pipe(client)
        })
      ),
      (server) => Effect.sync(() => server.close())
    )
    yield* listen(server, port)
  }
)
