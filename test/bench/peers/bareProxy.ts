/**
 * The least that a proxy on Node can do: `node:http` in front, `undici` behind, no authentication.
 *
 * It filters hop-by-hop fields and streams what is long in both directions, because without those it would be no proxy;
 * it collects what is short, because that is faster. Nothing else is done.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { argv } from "node:process"
import { type Dispatcher, Pool } from "undici"

// Up to here a body is one chunk for all practical purposes.
const shortLength = 64 * 1024

const dropped = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "host", "expect"])

const forwarded = <V>(headers: Readonly<Record<string, V | undefined>>): Record<string, V> => {
  const kept: Record<string, V> = {}
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value !== undefined && !dropped.has(name)) kept[name] = value
  }
  return kept
}

const isShort = (length: unknown): boolean => typeof length === "string" && Number(length) <= shortLength

const [, , port, upstream = ""] = argv

// No bound on connections, as for the gateway: every event stream keeps one. No pipelining, which MCP servers do not
// expect; no timeouts, because streams are silent for as long as they like.
const pool = new Pool(upstream, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })

const relay = (response: ServerResponse): Dispatcher.DispatchHandler => {
  let collected: Array<Buffer> | undefined
  let abort: (() => void) | undefined
  response.on("close", () => abort?.())
  return {
    onRequestStart: (controller) => {
      abort = () => controller.abort(new Error("the client left"))
    },
    onResponseStart: (_controller, status, headers) => {
      response.writeHead(status, forwarded(headers))
      if (isShort(headers["content-length"])) collected = []
      else response.flushHeaders()
    },
    onResponseData: (controller, chunk) => {
      if (collected !== undefined) collected.push(chunk)
      else if (!response.write(chunk)) {
        controller.pause()
        response.once("drain", () => controller.resume())
      }
    },
    onResponseEnd: () => {
      abort = undefined
      const [first] = collected ?? []
      response.end(collected === undefined || collected.length === 1 ? first : Buffer.concat(collected))
    },
    onResponseError: () => {
      if (response.headersSent) response.destroy()
      else response.writeHead(502).end()
    }
  }
}

const dispatch = (request: IncomingMessage, response: ServerResponse, body: Dispatcher.DispatchOptions["body"]) => {
  pool.dispatch({
    path: request.url ?? "/",
    // Any token is a method to undici; its type lists the common ones.
    method: (request.method ?? "GET") as Dispatcher.HttpMethod,
    headers: forwarded(request.headers),
    body: body ?? null
  }, relay(response))
}

const server = createServer((request, response) => {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers
  if (length === undefined && encoding === undefined) return dispatch(request, response, null)
  if (!isShort(length)) return dispatch(request, response, request)
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => dispatch(request, response, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)))
})
// The value of the gateway, so that no connection is closed during a load.
server.keepAliveTimeout = 75_000
server.listen(Number(port), "127.0.0.1")
