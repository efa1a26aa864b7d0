/** An MCP server on the loopback interface, for apps that are already connected to it. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../../errors/GatewayError.ts"
import type { UpstreamRequest, UpstreamResponse } from "../../forward/GatewayClient.ts"
import { startUpstream } from "../gatewayClient/Upstream.ts"
import type { Exchange } from "../gatewayClient/Upstream.ts"

/** What an MCP server responds; the scope ends with the exchange. A failure closes the connection. */
type Behaviour = (request: UpstreamRequest) => Effect.Effect<UpstreamResponse, UpstreamError, Scope.Scope>

/** The MCP server behind a connected app. */
export interface TestUpstream {
  /** `http://127.0.0.1:<port>`, without a trailing slash. */
  readonly origin: string
  /** Responds like this from now on. */
  readonly behave: (behaviour: Behaviour) => void
}

/** Fields of the connection between the app and the MCP server, which every client sets by itself. */
const ofTheConnection: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "transfer-encoding"
])

const requestOf = (exchange: Exchange, body: Uint8Array): UpstreamRequest => ({
  method: exchange.method,
  target: exchange.target,
  headers: Object.fromEntries(
    exchange.fields
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => !ofTheConnection.has(name))
  ),
  body: body.length === 0 ? undefined : body
})

const write = Effect.fnUntraced(function*(exchange: Exchange, { body, headers, status }: UpstreamResponse) {
  const fields = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as const))
  const length = body._tag === "Stream"
    ? []
    : [["content-length", String(body._tag === "Bytes" ? body.bytes.length : 0)]] as const
  yield* exchange.head(status, status === 204 || status === 304 ? fields : [...fields, ...length])
  if (body._tag === "Bytes" && body.bytes.length > 0) yield* exchange.write(body.bytes)
  if (body._tag === "Stream") yield* Stream.runForEach(body.stream, exchange.write)
  yield* exchange.end
})

const untold: Behaviour = () => Effect.die(new Error("the MCP server was called before it was told how to behave"))

/** Starts an MCP server that stops with its scope. */
export const startTestUpstream: Effect.Effect<TestUpstream, never, Scope.Scope> = Effect.gen(function*() {
  let current: Behaviour = untold
  const { origin } = yield* startUpstream((exchange) =>
    Effect.scoped(
      Effect.flatMap(exchange.body, (body) => current(requestOf(exchange, body))).pipe(
        Effect.flatMap((response) => write(exchange, response))
      )
    ).pipe(Effect.catchCause(() => exchange.cut("Reset")))
  )
  return {
    origin,
    behave: (behaviour) => {
      current = behaviour
    }
  }
})
