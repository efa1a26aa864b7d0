/**
 * An HTTP/1.1 server on the loopback interface whose handler is an Effect.
 *
 * Built on `node:http` itself, because a misbehaving peer must be able to write half a response or to close the
 * socket, which a server with typed responses cannot do.
 */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from "node:http"

export interface LoopbackServer {
  /** `http://127.0.0.1:<port>`, without a trailing slash. */
  readonly origin: string
  readonly port: number
}

/**
 * Listens on 127.0.0.1, at a port that the system chooses, until the scope closes.
 *
 * The handler runs with the services of the fiber that opened the server (including its `Clock`), and is interrupted when
 * the client leaves. Closing the scope closes every connection, so no test waits for a response that hangs.
 */
export const listen = Effect.fnUntraced(function*(
  handle: (request: IncomingMessage, response: ServerResponse) => Effect.Effect<void>,
  options: ServerOptions = {}
): Effect.fn.Return<LoopbackServer, never, Scope.Scope> {
  const fork = yield* FiberSet.makeRuntime()
  const server = createServer(options, (request, response) => {
    // Clients that disconnect during a request are expected here, and must not end the process.
    request.on("error", () => undefined)
    response.on("error", () => undefined)
    const fiber = fork(handle(request, response))
    response.on("close", () => fiber.interruptUnsafe())
  })
  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
      server.closeAllConnections()
    })
  )
  yield* Effect.callback<void>((resume) => {
    server.once("error", (cause) => resume(Effect.die(cause)))
    server.listen(0, "127.0.0.1", () => resume(Effect.void))
  })
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { origin: `http://127.0.0.1:${port}`, port }
})
