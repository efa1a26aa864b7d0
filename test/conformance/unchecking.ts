/** An MCP server that does not look at the fields which repeat a message. */
import * as Effect from "effect/Effect"
import { request as send } from "node:http"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { encoded } from "../fixtures/modernMessages.ts"

const mirrors = /^(?:mcp-protocol-version|mcp-method|mcp-name|mcp-param-.*)$/

/** The fields as the message would have them. */
const agreeing = (text: string): Record<string, string> => {
  const { method, params = {} } = JSON.parse(text)
  const { _meta = {}, name, uri } = params
  const named: unknown = name ?? uri
  const region: unknown = params.arguments?.region
  return {
    "mcp-method": method,
    "mcp-protocol-version": _meta["io.modelcontextprotocol/protocolVersion"] ?? "2026-07-28",
    ...(named === undefined ? {} : { "mcp-name": encoded(String(named)) }),
    ...(region === undefined ? {} : { "mcp-param-region": encoded(String(region)) })
  }
}

/**
 * Starts a forwarder to an MCP server that makes the fields of each request agree with its message, so that the server
 * accepts every request by its message alone. Returns the URL of its endpoint; it stops with its scope.
 */
export const uncheckingServer = Effect.fnUntraced(function*(url: string) {
  const { port } = yield* listen((request, response) =>
    Effect.callback<void>(() => {
      const { method } = request
      void request.toArray().then((chunks: ReadonlyArray<Buffer>) => {
        const body = Buffer.concat(chunks)
        const kept = Object.entries(request.headers).filter(([name]) => !mirrors.test(name))
        const headers = { ...Object.fromEntries(kept), ...(body.length === 0 ? {} : agreeing(body.toString())) }
        const forwarded = send(url, { method, headers }, (reply) => {
          response.writeHead(reply.statusCode ?? 502, reply.headers).flushHeaders()
          reply.pipe(response)
        })
        forwarded.on("error", () => response.destroy())
        forwarded.end(body)
      })
    })
  )
  return `http://localhost:${port}/mcp`
})
