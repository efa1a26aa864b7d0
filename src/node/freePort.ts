import * as Effect from "effect/Effect"
import { createServer } from "node:net"

/** The port, or one that the system chooses in place of 0, if nobody listens on it at the moment. */
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
 * A port of this machine that nobody listens on: the preferred one, else one that the system chooses.
 *
 * The demo has to know its URL before it listens, because that URL is the audience of its tokens.
 */
export const freePort = (preferred: number): Effect.Effect<number> =>
  tryPort(preferred).pipe(
    Effect.catch(() => tryPort(0)),
    Effect.orDie
  )
