/** The same gateway twice, as the component and on Node, in front of one MCP server, to compare their responses. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
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
}

/** One exchange, without what differs between all exchanges. */
export interface Exchange {
  readonly status: number
  readonly headers: Readonly<Record<string, ReadonlyArray<string>>>
  readonly text: string
  /** What the MCP server received, if it received something. */
  readonly forwarded: {
    readonly request: string
    readonly headers: Readonly<Record<string, ReadonlyArray<string>>>
    readonly body: string
  } | undefined
}

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

const bytesOf = ({ body, lines = [], method, target = "/mcp" }: Request): string =>
  rawRequest([
    `${method ?? (body === undefined ? "GET" : "POST")} ${target} HTTP/1.1`,
    "Host: localhost:3000",
    ...lines,
    ...(body === undefined ? [] : ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`])
  ], body)

const forwardedOf = Effect.fnUntraced(function*({ body, method, rawHeaders, url }: RecordedRequest) {
  const lines = rawHeaders.flatMap((name, at) => at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ""] as const] : [])
  return { request: `${method} ${url}`, headers: lasting(lines), body: Buffer.from(yield* body).toString() }
})

/** Sends one request and returns the result. */
const makeExchange = (upstream: RecordingUpstream, host: ComponentHost["Service"]) =>
  Effect.fnUntraced(function*(origin: string, request: Request): Effect.fn.Return<Exchange> {
    const before = upstream.requests().length
    const { responses: [response], outcome } = yield* rawExchange(origin, bytesOf(request), {
      bodiless: request.method === "HEAD",
      idleMillis: 30_000
    })
    assert.strictEqual(outcome, "Responded", host.logged().slice(-2000))
    if (response === undefined) return assert.fail("no response")
    const lines = response.headerLines.map((line) => {
      const colon = line.indexOf(":")
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
    })
    const [recorded, second] = upstream.requests().slice(before)
    assert.isUndefined(second, "the MCP server saw more than one request")
    return {
      status: response.status,
      headers: lasting(lines),
      text: response.text,
      forwarded: recorded === undefined ? undefined : yield* forwardedOf(recorded)
    }
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
    const send = makeExchange(upstream, host)
    return { given, host, upstream, send, exchange: (request: Request) => send(host.origin, request) }
  }
)

/** The component and the Node service with these variables. */
export const bothGateways = Effect.fnUntraced(function*(variables: (mcpGateway: string) => Variables) {
  const { exchange, given, host, send, upstream } = yield* componentGateway(variables)
  const settings = yield* Effect.fromResult(readSettings({ variables: () => Object.entries(given) }))
  const node = yield* startGateway({ ...settings, host: "127.0.0.1", port: 0 })
  return {
    upstream,
    host,
    /** Sends the request to both, asserts that the results are the same, and returns the result. */
    exchange: Effect.fnUntraced(function*(request: Request) {
      const expected = yield* send(node.origin, request)
      const component = yield* exchange(request)
      assert.deepStrictEqual(component, expected, `${request.method ?? ""} ${request.target ?? ""}`)
      return component
    })
  }
})
