/** Ports of this machine that are taken, or known to be free. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { randomInt } from "node:crypto"
import { connect, createServer, type Server } from "node:net"

const listen = (server: Server, port: number): Effect.Effect<number, "Taken"> =>
  Effect.callback<number, "Taken">((resume) => {
    server.once("error", () => resume(Effect.fail("Taken")))
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
  })

const occupy = (port: number): Effect.Effect<number, "Taken", Scope.Scope> =>
  Effect.flatMap(
    Effect.acquireRelease(Effect.sync(() => createServer()), close),
    (server) => listen(server, port)
  )

/** A port that is in use for as long as the scope is open. */
export const takenPort: Effect.Effect<number, never, Scope.Scope> = Effect.orDie(occupy(0))

/**
 * A port that is free now and very probably later.
 *
 * It is below the range from which the system assigns ports.
 */
export const closedPort: Effect.Effect<number> = Effect.suspend(() => Effect.scoped(occupy(randomInt(10_000, 32_768))))
  .pipe(Effect.eventually)

/** Hands connections on to a port of this machine, until the scope closes. */
const forwarder = (target: number): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      createServer((client) => {
        const peer = connect({ host: "127.0.0.1", port: target })
        client.on("error", () => peer.destroy())
        peer.on("error", () => client.destroy())
        client.pipe(peer)
        peer.pipe(client)
      })
    ),
    (server) => Effect.sync(() => server.close())
  )

/** Hands connections to `port` on to another port of this machine, until the scope closes. */
export const forwardPort = Effect.fnUntraced(
  function*(port: number, target: number): Effect.fn.Return<void, never, Scope.Scope> {
    yield* Effect.orDie(listen(yield* forwarder(target), port))
  }
)

/** Makes a Unix socket at `path` and hands connections to it on to a port of this machine, until the scope closes. */
export const forwardSocket = Effect.fnUntraced(
  function*(path: string, target: number): Effect.fn.Return<void, never, Scope.Scope> {
    const server = yield* forwarder(target)
    yield* Effect.callback<void>((resume) => {
      server.listen(path, () => resume(Effect.void))
    })
  }
)
