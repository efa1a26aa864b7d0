/**
 * `fetch` for requests with a body, on the interfaces of WASI instead of the engine's `fetch`.
 *
 * If a connection fails while the engine still writes the body, the engine ends, and its host responds with 500. Here the
 * failure is what it is: no response from the MCP server. Requests without a body go to the engine.
 */
import { handle } from "wasi:http/outgoing-handler@0.2.3"
import {
  Fields,
  type FutureIncomingResponse,
  type IncomingResponse,
  OutgoingBody,
  OutgoingRequest
} from "wasi:http/types@0.2.3"
import { type Pollable } from "wasi:io/poll@0.2.3"
import { failedRequest } from "./failedRequest.ts"
import { waitFor } from "./waitFor.ts"

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

const textOf = (bytes: Uint8Array): string => {
  let text = ""
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/** Builds the fields of the request, without those that only the host may set. */
const fieldsOf = (headers: Headers, length: number): Fields => {
  const lines = [...headers].filter(([name]) => name !== "content-length")
  const entries = [...lines, ["content-length", String(length)] as const]
    .map(([name, value]) => [name, bytesOf(value)] as const)
  try {
    return Fields.fromList(entries)
  } catch {
    const fields = new Fields()
    for (const [name, value] of entries) {
      try {
        fields.append(name, value)
      } catch {
        // The host sets the fields of a hop itself, and accepts none of them here.
      }
    }
    return fields
  }
}

const methods = ["get", "post", "put", "delete", "patch"] as const

const requestOf = ({ headers, method, url }: Question, length: number): OutgoingRequest => {
  const { host, pathname, protocol, search } = new URL(url)
  const request = new OutgoingRequest(fieldsOf(headers, length))
  const known = methods.find((name) => name === method.toLowerCase())
  request.setMethod(known === undefined ? { tag: "other", val: method } : { tag: known })
  request.setScheme({ tag: protocol === "https:" ? "HTTPS" : "HTTP" })
  request.setAuthority(host)
  request.setPathWithQuery(pathname + search)
  return request
}

/** Writes the body until all of it is written, or the server has responded, or the connection has failed. */
const write = async (body: OutgoingBody, bytes: Uint8Array, responded: Pollable, signal: AbortSignal | undefined) => {
  const stream = body.write()
  const writable = stream.subscribe()
  let at = 0
  try {
    while (at < bytes.length) {
      const budget = Number(stream.checkWrite())
      if (budget > 0) {
        stream.write(bytes.subarray(at, at + budget))
        at += budget
        continue
      }
      await waitFor([writable, responded], signal)
      if (responded.ready()) break
    }
  } catch (error) {
    // Why the stream is closed is what the request comes to. An aborted request comes to nothing.
    if (signal?.aborted === true) throw error
  } finally {
    writable[Symbol.dispose]()
    stream[Symbol.dispose]()
  }
  if (at < bytes.length) return body[Symbol.dispose]()
  try {
    OutgoingBody.finish(body, undefined)
  } catch {
    // The same.
  }
}

/** Reads the body of a response as its reader wants it, until the reader cancels it. */
const bodyOf = (response: IncomingResponse): ReadableStream<Uint8Array> => {
  const body = response.consume()
  const stream = body.stream()
  const readable = stream.subscribe()
  const close = () => {
    readable[Symbol.dispose]()
    stream[Symbol.dispose]()
    body[Symbol.dispose]()
  }
  const next = async (): Promise<Uint8Array | undefined> => {
    while (true) {
      await waitFor([readable], undefined)
      try {
        const chunk = stream.read(65_536n)
        // A copy: what the host's functions return is not an instance of the class that this module knows.
        if (chunk.length > 0) return new Uint8Array(chunk)
      } catch (error) {
        if (isEnd(error)) return undefined
        throw failedRequest("HTTP-response-incomplete")
      }
    }
  }
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const chunk = await next()
        if (chunk !== undefined) return controller.enqueue(chunk)
        close()
        controller.close()
      } catch (error) {
        close()
        controller.error(error)
      }
    },
    cancel: close
  }, { highWaterMark: 0 })
}

/** Whether this is what a stream throws where it ends, and not where it breaks off. */
const isEnd = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "payload" in error && typeof error.payload === "object" &&
  error.payload !== null && "tag" in error.payload && error.payload.tag === "closed"

const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

const responseOf = (incoming: IncomingResponse): Response => {
  const status = incoming.status()
  const headers = new Headers()
  for (const [name, value] of incoming.headers().entries()) headers.append(name, textOf(value))
  const response = new Response(bodiless.has(status) ? null : bodyOf(incoming))
  // The constructor accepts some statuses and fields only. A server may send any.
  return Object.defineProperties(response, { status: { value: status }, headers: { value: headers } })
}

/** Waits for the head of the response. */
const receive = (future: FutureIncomingResponse): IncomingResponse => {
  const outcome = future.get()
  if (outcome?.tag !== "ok") throw failedRequest("no outcome")
  if (outcome.val.tag === "err") throw failedRequest(outcome.val.val.tag)
  return outcome.val.val
}

/** A request as its fields were checked by the engine. */
interface Question {
  readonly method: string
  readonly url: string
  readonly headers: Headers
}

const send = async (question: Question, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<Response> => {
  const request = requestOf(question, bytes.length)
  const body = request.body()
  const future = begin(request)
  const responded = future.subscribe()
  try {
    await write(body, bytes, responded, signal)
    await waitFor([responded], signal)
    return responseOf(receive(future))
  } finally {
    responded[Symbol.dispose]()
    future[Symbol.dispose]()
  }
}

const begin = (request: OutgoingRequest): FutureIncomingResponse => {
  try {
    return handle(request, undefined)
  } catch {
    throw failedRequest("HTTP-request-denied")
  }
}

/**
 * Extends `fetch` by requests with bytes as their body, which do not end the engine when their connection fails, and which
 * are cancelled when their signal is aborted before the response begins.
 */
export const wasiFetch = (engineFetch: typeof globalThis.fetch): typeof globalThis.fetch => async (input, init) => {
  const { body, headers, method = "GET", signal } = init ?? {}
  if (!(body instanceof Uint8Array)) return engineFetch(input, init)
  return send({ url: String(input), method, headers: new Headers(headers) }, body, signal ?? undefined)
}
