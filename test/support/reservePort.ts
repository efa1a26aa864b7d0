import * as Effect from "effect/Effect"
import { createServer, type Server } from "node:net"

/**
 * Below the ports that systems assign to connections and to `listen(0)`: 32768 and above on Linux, 49152 and above
 * elsewhere. Any process could take one of those between the choice and `listen`.
 */
const first = 10_000
const pairs = 11_384

const listenOn = (port: number): Effect.Effect<Server | undefined> =>
  Effect.callback((resume) => {
    const server = createServer()
    server.once("error", () => resume(Effect.succeed(undefined)))
    server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server.unref())))
  })

// Processes begin at different ports, so that they seldom collide.
let pair = Math.floor(Math.random() * pairs)

/**
 * Reserves a port of 127.0.0.1 for servers that must know their URL before they listen. No other test gets the port
 * while this process runs, and the system does not assign it.
 *
 * Ports come in pairs. A process that listens on the even port owns the odd one.
 */
export const reservePort: Effect.Effect<number> = Effect.gen(function*() {
  for (let tried = 0; tried < pairs; tried++) {
    pair = (pair + 1) % pairs
    const port = first + 2 * pair + 1
    const lock = yield* listenOn(port - 1)
    if (lock === undefined) continue
    // A program outside of the tests may use it.
    const probe = yield* listenOn(port)
    if (probe === undefined) {
      lock.close()
      continue
    }
    yield* Effect.callback<void>((resume) => {
      probe.close(() => resume(Effect.void))
    })
    return port
  }
  return yield* Effect.die("no port is free")
})
