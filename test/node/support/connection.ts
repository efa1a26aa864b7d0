/** A TCP connection that a test holds open, and what comes back on it. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { connect, type Socket } from "node:net"

export interface Connection {
  readonly write: (text: string) => Effect.Effect<void>
  /** Waits until the received text contains this, the given number of times (once by default). */
  readonly awaitText: (text: string, times?: number) => Effect.Effect<void>
  /** Stops reading, so that the peer cannot continue writing. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  readonly received: () => string
  /** Waits until the peer has ended or cut the connection. */
  readonly closed: Effect.Effect<void>
}

const open = (origin: string): Effect.Effect<Socket, "Refused"> =>
  Effect.callback<Socket, "Refused">((resume) => {
    const { hostname, port } = new URL(origin)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    socket.once("connect", () => resume(Effect.succeed(socket)))
    // Stays: a reset later on is an ordinary end.
    socket.on("error", () => resume(Effect.fail("Refused")))
    return Effect.sync(() => socket.destroy())
  })

/** Connects; the connection is cut when the scope closes, at the latest. */
export const openConnection = Effect.fnUntraced(
  function*(origin: string): Effect.fn.Return<Connection, "Refused", Scope.Scope> {
    const socket = yield* Effect.acquireRelease(open(origin), (socket) => Effect.sync(() => socket.destroy()))
    const closed = yield* Deferred.make<void>()
    const waiting = new Set<() => void>()
    let received = ""
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1")
      for (const look of waiting) look()
    })
    socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
    return {
      write: (text) =>
        Effect.callback<void>((resume) => {
          socket.write(text, () => resume(Effect.void))
        }),
      awaitText: (text, times = 1) =>
        Effect.callback<void>((resume) => {
          const look = () => {
            if (received.split(text).length > times) resume(Effect.void)
          }
          waiting.add(look)
          look()
          return Effect.sync(() => waiting.delete(look))
        }),
      pause: Effect.sync(() => socket.pause()),
      resume: Effect.sync(() => socket.resume()),
      received: () => received,
      closed: Deferred.await(closed)
    }
  }
)

/** Waits until no connection is accepted there. */
export const awaitRefused = (origin: string): Effect.Effect<void> =>
  Effect.suspend(() => Effect.scoped(openConnection(origin))).pipe(
    Effect.delay("20 millis"),
    Effect.forever,
    Effect.ignore
  )
