/** Ready-made responses for `RecordingUpstream`: good ones, awkward ones and broken ones. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ServerResponse } from "node:http"
import { setTimeout as wait } from "node:timers/promises"
import { gzipSync } from "node:zlib"
import { respondToJsonRpc } from "./jsonRpcPeer.ts"
import type { UpstreamHandler } from "./RecordedRequest.ts"

export interface CannedResponse {
  readonly status?: number
  readonly statusText?: string
  /** An array where the header is to be repeated. */
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body?: string | Uint8Array
}

const write = (response: ServerResponse, chunk: string | Uint8Array): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    response.write(chunk, () => resume(Effect.void))
  })

const writeHead = (response: ServerResponse, { headers = {}, status = 200, statusText }: CannedResponse): void => {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (statusText !== undefined) response.statusMessage = statusText
  response.writeHead(status)
}

/** Responds to every request in the same way, once its body is here. */
export const respond = (reply: CannedResponse): UpstreamHandler => (request, response) =>
  Effect.map(request.body, () => {
    writeHead(response, reply)
    response.end(reply.body)
  })

/** A small MCP server without sessions: `initialize`, `tools/list`, `tools/call` (echo), notifications. */
export const jsonRpc: UpstreamHandler = (request, response) =>
  Effect.map(request.body, (body) => {
    const reply = request.method === "POST" ? respondToJsonRpc(Buffer.from(body).toString("utf8")) : undefined
    if (request.method !== "POST") writeHead(response, { status: 405, headers: { allow: "POST" } })
    else if (reply === undefined) writeHead(response, { status: 202 })
    else writeHead(response, { headers: { "content-type": "application/json" } })
    response.end(reply)
  })

export const redirect = (location: string, status = 302): UpstreamHandler => respond({ status, headers: { location } })

export const noContent: UpstreamHandler = respond({ status: 204 })

export const withCookies = (...cookies: ReadonlyArray<string>): UpstreamHandler =>
  respond({ headers: { "set-cookie": cookies, "content-type": "application/json" }, body: "{}" })

/** An encoded body that a proxy must pass on as it is. */
export const gzip = (text: string): UpstreamHandler =>
  respond({
    headers: { "content-type": "application/json", "content-encoding": "gzip" },
    body: gzipSync(text)
  })

/** An upstream that requires its own credentials. */
export const challenge = (wwwAuthenticate: string, status = 401): UpstreamHandler =>
  respond({ status, headers: { "www-authenticate": wwwAuthenticate }, body: "{}" })

/** Waits before the head of the response; Effect's time. */
export const slowHead =
  (delay: Duration.Input, handler: UpstreamHandler = jsonRpc): UpstreamHandler => (request, response) =>
    Effect.delay(handler(request, response), delay)

/** Accepts the request and never responds. */
export const hang: UpstreamHandler = () => Effect.never

/**
 * Resets the connection (RST).
 *
 * Real time passes first, regardless of the `Clock`: a client on Node that finds data and a reset in one poll reports
 * the end of the stream, and would take a body without a length for complete.
 */
export const resetConnection = (response: ServerResponse): Effect.Effect<void> =>
  Effect.map(Effect.promise(() => wait(20)), () => {
    response.socket?.resetAndDestroy()
  })

/** Bytes onto the socket as they are, then the end of the stream, a reset, or silence. */
export const rawBytes = (bytes: string | Uint8Array, then: "End" | "Reset" | "Silence"): UpstreamHandler =>
  Effect.fnUntraced(function*(request, response) {
    yield* request.body
    const { socket } = response
    yield* Effect.callback<void>((resume) => {
      socket?.write(bytes, () => resume(Effect.void))
    })
    if (then === "Silence") return yield* Effect.never
    if (then === "End") socket?.end()
    else yield* resetConnection(response)
  })

/** A head that stops in the middle. */
export const halfHead: UpstreamHandler = rawBytes("HTTP/1.1 200 OK\r\nContent-Ty", "End")

/** Promises 1000 bytes, sends 10 and ends or resets the connection. */
export const halfBody = (then: "End" | "Reset"): UpstreamHandler =>
  rawBytes("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n0123456789", then)

/** `bytes` bytes without a `Content-Length`, at the speed at which they are read; `Infinity` never ends. */
export const bigStream = (bytes: number, contentType = "application/octet-stream"): UpstreamHandler =>
  Effect.fnUntraced(function*(request, response) {
    yield* request.body
    const block = new Uint8Array(65_536).fill(0x61)
    writeHead(response, { headers: { "content-type": contentType } })
    for (let left = bytes; left > 0; left -= block.length) {
      yield* write(response, left < block.length ? block.subarray(0, left) : block)
    }
    response.end()
  })
