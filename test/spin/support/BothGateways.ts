/** The same gateway twice, as the component and on Node, in front of one MCP server, to compare their responses. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { layerMinimumLevel } from "../../../src/config/kinds/logging.ts"
import { flatLine } from "../../../src/log/flatLine.ts"
import { readSettings } from "../../../src/spin/settings.ts"
import { startGateway } from "../../support/gateway.ts"
import { rawExchange, rawRequest } from "../../support/rawHttp.ts"
import type { RecordedRequest } from "../../support/RecordedRequest.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "../../support/RecordingUpstream.ts"
import { ComponentHost, type StoreMode } from "./ComponentHost.ts"

export type Variables = Readonly<Record<string, string>>

export interface Request {
  /** `GET` unless given, `POST` where there is a body. */
  readonly method?: string
  /** `/mcp` unless given. */
  readonly target?: string
  /** Field lines apart from `Host` and those of the body. */
  readonly lines?: ReadonlyArray<string>
  readonly body?: string
  /** `application/json` unless given. */
  readonly type?: string
  /** The client asks for the end of the connection, and waits for it. Otherwise it leaves with the last byte. */
  readonly isLast?: boolean
}

/** A request as the MCP server received it. */
export interface Received {
  readonly request: string
  readonly headers: Readonly<Record<string, ReadonlyArray<string>>>
  readonly body: string
}

/** One exchange, without what differs between all exchanges. */
export interface Exchange {
  readonly status: number
  readonly headers: Readonly<Record<string, ReadonlyArray<string>>>
  readonly text: string
  /** What the MCP server received, if it received something. */
  readonly forwarded: Received | undefined
}

/** One exchange, whose response may be incomplete, and all requests that the MCP server received for it. */
export interface Result extends Omit<Exchange, "forwarded"> {
  readonly sent: ReadonlyArray<Received>
}

/** An incomplete response. How much of it was received before the connection closed is a matter of chance. */
const brokenOff = { status: 0, headers: {}, text: "(broken off)" }

/** Fields of the connection, the clock and randomness; and the framing, which HTTP lets each hop choose. */
const passing = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "date",
  "host",
  "keep-alive",
  "transfer-encoding",
  "x-trace-id"
])

const lasting = (lines: ReadonlyArray<readonly [name: string, value: string]>) => {
  const fields: Record<string, Array<string>> = {}
  for (const [name, value] of lines.toSorted(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)) {
    const known = name.toLowerCase()
    if (!passing.has(known)) (fields[known] ??= []).push(value)
  }
  return fields
}

const bytesOf = (
  { body, isLast = false, lines = [], method, target = "/mcp", type = "application/json" }: Request
): string =>
  rawRequest([
    `${method ?? (body === undefined ? "GET" : "POST")} ${target} HTTP/1.1`,
    "Host: localhost:3000",
    ...lines,
    ...(isLast ? ["Connection: close"] : []),
    ...(body === undefined ? [] : [`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`])
  ], body)

const receivedOf = Effect.fnUntraced(function*({ body, method, rawHeaders, url }: RecordedRequest) {
  const lines = rawHeaders.flatMap((name, at) => at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ""] as const] : [])
  return { request: `${method} ${url}`, headers: lasting(lines), body: Buffer.from(yield* body).toString() }
})

/** Sends one request and returns the result. */
const makeSend = (upstream: RecordingUpstream) =>
  Effect.fnUntraced(function*(origin: string, request: Request): Effect.fn.Return<Result> {
    const before = upstream.requests().length
    const { responses: [response] } = yield* rawExchange(origin, bytesOf(request), {
      bodiless: request.method === "HEAD",
      idleMillis: 30_000,
      responses: request.isLast === true ? Infinity : 1
    })
    const sent = yield* Effect.forEach(upstream.requests().slice(before), receivedOf)
    if (response === undefined) return { ...brokenOff, sent }
    const lines = response.headerLines.map((line) => {
      const colon = line.indexOf(":")
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
    })
    return { status: response.status, headers: lasting(lines), text: response.text, sent }
  })

/** Sends one request, which must get a complete response, and cause one request to the MCP server at most. */
const makeExchange = (send: ReturnType<typeof makeSend>, logged: () => string) =>
  Effect.fnUntraced(function*(origin: string, request: Request): Effect.fn.Return<Exchange> {
    const { sent: [forwarded, second], ...response } = yield* send(origin, request)
    assert.notStrictEqual(response.status, brokenOff.status, logged().slice(-2000))
    assert.isUndefined(second, "the MCP server received more than one request")
    return { ...response, forwarded }
  })

/**
 * The component with these variables.
 *
 * @param variables given the URL of the MCP server behind
 */
export const componentGateway = Effect.fnUntraced(
  function*(variables: (mcpGateway: string) => Variables, store: StoreMode = "granted") {
    const host = yield* ComponentHost
    const upstream = yield* makeRecordingUpstream
    const given = variables(`${upstream.origin}/mcp-internal`)
    yield* host.configure(given, store)
    const send = makeSend(upstream)
    const exchangeWith = makeExchange(send, host.logged)
    return {
      given,
      host,
      upstream,
      send,
      exchangeWith,
      exchange: (request: Request) => exchangeWith(host.origin, request)
    }
  }
)

/** The component and the Node service with these variables. */
export const bothGateways = Effect.fnUntraced(function*(variables: (mcpGateway: string) => Variables) {
  const { exchange, exchangeWith, given, host, send, upstream } = yield* componentGateway(variables)
  const settings = yield* Effect.fromResult(readSettings({ variables: () => Object.entries(given) }))
  const lines: Array<string> = []
  const line = flatLine(settings.logNames)
  const logger = Layer.merge(
    Logger.layer([Logger.make((entry) => void lines.push(line.log(entry)))]),
    layerMinimumLevel(settings)
  )
  const node = yield* startGateway({ ...settings, host: "127.0.0.1", port: 0 }, { logger })
  return {
    upstream,
    host,
    node,
    /** Sends the request to one of them, and returns the result. */
    send,
    /** The log of the Node service. */
    nodeLogged: () => lines.join("\n"),
    /** Sends the request to both, asserts that the results are the same, and returns the result. */
    exchange: Effect.fnUntraced(function*(request: Request) {
      const expected = yield* exchangeWith(node.origin, request)
      const component = yield* exchange(request)
      assert.deepStrictEqual(component, expected, `${request.method ?? ""} ${request.target ?? ""}`)
      return component
    })
  }
})
