/**
 * Node's responses behind a guard: the gateway's fields are added to the head, lists are filtered, and event streams
 * end in time.
 */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http"
import { PassThrough, Readable } from "node:stream"
import type { Admitted } from "../embed/Admitted.ts"
import { type FilteredBody, type Finish, handlerBrokeOff } from "../embed/finish.ts"
import type { UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { UpstreamBody } from "../forward/GatewayClient.ts"
import type { Identity } from "../identity/Identity.ts"

/** Writes a response of the guard's own. */
export const writeResponse = async (
  response: ServerResponse,
  own: HttpServerResponse.HttpServerResponse,
  withoutBody: boolean
): Promise<void> => {
  const web = HttpServerResponse.toWeb(own, { withoutBody })
  const body = Buffer.from(await web.arrayBuffer())
  if (response.headersSent || response.destroyed) return
  for (const [name, value] of web.headers) response.setHeader(name, value)
  // The rest of a body is not read.
  if (web.status === 413) response.setHeader("connection", "close")
  response.writeHead(web.status)
  response.end(body)
}

type Pair = readonly [name: string, value: OutgoingHttpHeader]

/** Lists have names and values in turn. */
const inPairs = (list: ReadonlyArray<OutgoingHttpHeader | undefined>): ReadonlyArray<Pair> =>
  Array.from({ length: list.length / 2 }, (_, index) => [String(list[2 * index]), list[2 * index + 1] ?? ""])

/** The fields that a handler passes with the status, in each form that Node accepts: an object, pairs, or a list. */
const pairsOf = (fields: object): ReadonlyArray<Pair> => {
  if (!Array.isArray(fields)) {
    return Object.entries(fields as OutgoingHttpHeaders).flatMap(([name, value]): ReadonlyArray<Pair> =>
      value === undefined ? [] : [[name, value]]
    )
  }
  return Array.isArray(fields[0]) ? fields : inPairs(fields)
}

const setFields = (response: ServerResponse, fields: object): void => {
  const given = new Set<string>()
  for (const [name, value] of pairsOf(fields)) {
    const key = name.toLowerCase()
    if (given.has(key)) response.appendHeader(name, typeof value === "number" ? String(value) : value)
    else response.setHeader(name, value)
    given.add(key)
  }
}

const fieldOf = (response: ServerResponse) => (name: string): string | undefined => {
  const value = response.getHeader(name)
  return value === undefined ? undefined : Array.isArray(value) ? value.join(", ") : String(value)
}

type Method = (...args: ReadonlyArray<unknown>) => unknown

/**
 * The original methods of a response, which are replaced. No single function type matches the overloads of Node's
 * types.
 */
type Original = Readonly<Record<"end" | "flushHeaders" | "write" | "writeHead", Method>>

/** Ends or aborts an event stream when its time is up. */
const limitLife = (response: ServerResponse, limit: NonNullable<Finish["limit"]>): void => {
  const over = new AbortController()
  response.once("close", () => over.abort())
  Effect.runPromise(Stream.runDrain(limit(Stream.never)), { signal: over.signal }).then(
    () => void response.end(),
    // Aborted, so that the client does not take the received part for the whole response.
    () => void (over.signal.aborted || response.destroy())
  )
}

const sendBody = async (response: ServerResponse, original: Original, body: UpstreamBody): Promise<void> => {
  switch (body._tag) {
    case "Empty":
      original.end()
      return
    case "Bytes":
      original.end(body.bytes)
      return
    case "Stream":
      for await (const chunk of Stream.toAsyncIterable(body.stream)) {
        if (response.destroyed) return
        if (!original.write(chunk)) {
          await new Promise<void>((resolve) => {
            const go = () => {
              response.off("drain", go).off("close", go)
              resolve()
            }
            response.on("drain", go).on("close", go)
          })
        }
      }
      original.end()
  }
}

/** Receives the body of the handler, if lists in it are filtered. */
interface Filtering {
  readonly status: number
  readonly finish: Finish & { readonly lists: (body: UpstreamBody) => Effect.Effect<FilteredBody> }
}

/**
 * Filters the lists in a body. The head is held back until then, because an invalid list results in an error response.
 *
 * @returns the receiver of the body
 */
const filterLists = (
  response: ServerResponse,
  original: Original,
  { finish: { limit, lists }, status }: Filtering
): PassThrough => {
  const written = new PassThrough()
  written.on("drain", () => response.emit("drain"))
  // The handler should see that its head is sent.
  Object.defineProperty(response, "headersSent", { configurable: true, get: () => true })
  response.once("close", () => written.destroy())
  // Both types are Node's own, for the same class.
  const source = Readable.toWeb(written) as unknown as ReadableStream<Uint8Array>
  const stream = Stream.fromReadableStream<Uint8Array, UpstreamUnavailable>({
    evaluate: () => source,
    onError: handlerBrokeOff
  })
  const send = async () => {
    const filtered = await Effect.runPromise(lists({ _tag: "Stream", stream }))
    Reflect.deleteProperty(response, "headersSent")
    if (response.destroyed) return
    if (filtered._tag === "Responded") {
      for (const name of response.getHeaderNames()) response.removeHeader(name)
      const web = HttpServerResponse.toWeb(filtered.response)
      for (const [name, value] of web.headers) response.setHeader(name, value)
      original.writeHead(web.status)
      original.end(Buffer.from(await web.arrayBuffer()))
      return
    }
    response.removeHeader("content-length")
    original.writeHead(status)
    if (limit !== undefined) limitLife(response, limit)
    await sendBody(response, original, filtered.body)
  }
  send().catch(() => response.destroy())
  return written
}

/**
 * Completes the response of a handler when its head is written.
 *
 * The methods that begin or continue a response are replaced. The replacements call the previous ones, because another
 * middleware may have wrapped them.
 */
export const finishResponse = (
  response: ServerResponse,
  { finish }: Pick<Admitted<Identity | undefined>, "finish">,
  method: string | undefined
): void => {
  const original: Original = {
    writeHead: response.writeHead.bind(response) as Method,
    write: response.write.bind(response) as Method,
    end: response.end.bind(response) as Method,
    flushHeaders: response.flushHeaders.bind(response)
  }
  let filtered: PassThrough | undefined
  let isBegun = false

  /** Sets the remaining fields of the head. Afterwards it is known whether the body is filtered. */
  const begin = (status: number): void => {
    if (isBegun) return
    isBegun = true
    // Nothing in it is asynchronous: see `nodeCrypto.ts`.
    const needed = Effect.runSync(finish(status, fieldOf(response)))
    const { fields, limit, lists } = needed
    for (const [name, value] of Object.entries(fields)) response.setHeader(name, value)
    if (lists !== undefined && method !== "HEAD") {
      filtered = filterLists(response, original, { status, finish: { ...needed, lists } })
    } else if (limit !== undefined) limitLife(response, limit)
  }

  /** Replaces one of the methods. It begins the response, unless another one has. */
  const replacing =
    (own: Method, filter: (to: PassThrough, args: ReadonlyArray<unknown>) => unknown): Method => (...args) => {
      begin(response.statusCode)
      return filtered === undefined ? own(...args) : filter(filtered, args)
    }

  Object.assign(response, {
    writeHead: (status: number, ...rest: ReadonlyArray<unknown>): unknown => {
      // Interim responses are not the response.
      if (status < 200) return original.writeHead(status, ...rest)
      const [message, fields] = typeof rest[0] === "string" ? rest : [undefined, rest[0] ?? rest[1]]
      if (typeof message === "string") response.statusMessage = message
      if (typeof fields === "object" && fields !== null) setFields(response, fields)
      response.statusCode = status
      begin(status)
      return filtered === undefined ? original.writeHead(status) : response
    },
    // The arguments are those of the method, for all of its overloads.
    write: replacing(original.write, (to, args) => to.write(...args as [unknown])),
    end: replacing(original.end, (to, args) => {
      to.end(...args as [])
      return response
    }),
    flushHeaders: replacing(original.flushHeaders, () => undefined)
  })
}
