import * as Effect from "effect/Effect"
import { createServer } from "node:net"

/** Returns the port if it is free at the moment; for 0, a free port that the system chooses. */
export const tryPort = (port: number, host = "127.0.0.1"): Effect.Effect<number, "Taken"> =>
  Effect.callback<number, "Taken">((resume) => {
    const server = createServer()
    server.once("error", () => resume(Effect.fail("Taken")))
    server.listen(port, host, () => {
      const address = server.address()
      server.close(() =>
        resume(address === null || typeof address === "string" ? Effect.fail("Taken") : Effect.succeed(address.port))
      )
    })
    return Effect.sync(() => server.close())
  })

/**
 * Returns a free port of this machine: the preferred one, otherwise one that the system chooses.
 *
 * The demo must know its URL before it listens, because the URL is the audience of its tokens.
 */
export const freePort = (preferred: number): Effect.Effect<number> =>
  tryPort(preferred).pipe(
    Effect.catch(() => tryPort(0)),
    Effect.orDie
  )
