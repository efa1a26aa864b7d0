import type * as Http from "node:http"

/**
 * Makes every answer that is open when the server is closed, or comes later, the last one on its connection.
 *
 * Node closes the connections that are idle at that moment only, so that a client that was waiting for an answer would
 * otherwise keep its connection, and the process, for as long as it liked.
 */
export const drainOnClose = (server: Http.Server): Http.Server => {
  const open = new Set<Http.ServerResponse>()

  const track = (request: Http.IncomingMessage, response: Http.ServerResponse): void => {
    const { socket } = request
    open.add(response)
    if (!server.listening) response.shouldKeepAlive = false
    response.on("close", () => {
      open.delete(response)
      const isLast = !Array.from(open).some(({ req }) => req.socket === socket)
      if (!server.listening && isLast) socket.destroySoon()
    })
  }

  server.on("request", track)
  server.on("checkContinue", track)

  const close = server.close.bind(server)
  server.close = (callback) => {
    // Answers whose head is still to come can say so; the others just end with their connection.
    for (const response of open) response.shouldKeepAlive = false
    return close(callback)
  }
  return server
}
