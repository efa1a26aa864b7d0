/** A forwarder for clients that cannot send a token. */
import * as Effect from "effect/Effect"
import { request as send } from "node:http"
import { listen } from "../../src/issuer/LoopbackServer.ts"

/**
 * Starts a server that adds the token to each request and passes everything else as it is, `Host` and `Origin` too.
 *
 * Returns its port; it stops with its scope.
 */
export const tokenInjector = Effect.fnUntraced(function*(port: number, token: string) {
  const server = yield* listen((request, response) =>
    Effect.callback<void>(() => {
      const { method, url: path } = request
      const headers = { ...request.headers, authorization: `Bearer ${token}` }
      const forwarded = send({ host: "127.0.0.1", port, method, path, headers }, (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers).flushHeaders()
        reply.pipe(response)
      })
      forwarded.on("error", () => response.destroy())
      request.pipe(forwarded)
      return Effect.sync(() => forwarded.destroy())
    })
  )
  return server.port
})
