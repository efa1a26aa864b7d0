/**
 * The MCP server of the suite: it records requests byte for byte, and responds correctly or incorrectly, as configured.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { IncomingMessage, ServerResponse } from "node:http"
import { listen } from "../../issuer/LoopbackServer.ts"

/** Names and values, in order. Names may be repeated. */
export type Fields = ReadonlyArray<readonly [name: string, value: string]>

/** A request, and the operations to respond to it. */
export interface Exchange {
  readonly method: string
  readonly target: string
  /** As received, with order, case and repetitions. */
  readonly fields: Fields
  /** Returns every value of a field; `name` in lower case. */
  readonly values: (name: string) => ReadonlyArray<string>
  /** Waits for the end of the body. */
  readonly body: Effect.Effect<Uint8Array>
  /** Waits for the end of the exchange: the response was sent completely, or the client left before. */
  readonly ended: Effect.Effect<"Responded" | "Left">
  /** Sends the head. */
  readonly head: (status: number, fields: Fields) => Effect.Effect<void>
  /** Sends a part of the body, and waits until the connection accepts more. */
  readonly write: (chunk: Uint8Array) => Effect.Effect<void>
  /** Ends the body. */
  readonly end: Effect.Effect<void>
  /** Sends bytes, or characters of one byte each, unchanged. */
  readonly raw: (bytes: string | Uint8Array) => Effect.Effect<void>
  /** Ends the connection normally, or resets it. */
  readonly cut: (how: "End" | "Reset") => Effect.Effect<void>
}

export type Responder = (exchange: Exchange) => Effect.Effect<void>

export interface Upstream {
  /** `http://127.0.0.1:<port>`, without a trailing slash. */
  readonly origin: string
  /** The requests received so far, oldest first. */
  readonly exchanges: ReadonlyArray<Exchange>
  /** Waits for the first request. */
  readonly first: Effect.Effect<Exchange>
}

const pairs = (raw: ReadonlyArray<string>): Fields =>
  raw.flatMap((name, index) => index % 2 === 0 ? [[name, raw[index + 1] ?? ""] as const] : [])

const makeExchange = Effect.fnUntraced(function*(
  request: IncomingMessage,
  response: ServerResponse
): Effect.fn.Return<Exchange> {
  const fields = pairs(request.rawHeaders)
  const body = yield* Deferred.make<Uint8Array>()
  const ended = yield* Deferred.make<"Responded" | "Left">()
  const chunks: Array<Uint8Array> = []
  request.on("data", (chunk: Uint8Array) => {
    chunks.push(chunk)
  })
  request.on("end", () => Deferred.doneUnsafe(body, Effect.succeed(Buffer.concat(chunks))))
  response.on(
    "close",
    () => Deferred.doneUnsafe(ended, Effect.succeed(response.writableFinished ? "Responded" : "Left"))
  )
  const write = (chunk: Uint8Array): Effect.Effect<void> =>
    Effect.callback((resume) => {
      response.write(chunk, () => resume(Effect.void))
    })
  return {
    method: request.method ?? "",
    target: request.url ?? "",
    fields,
    values: (name) => fields.flatMap(([other, value]) => other.toLowerCase() === name ? [value] : []),
    body: Deferred.await(body),
    ended: Deferred.await(ended),
    head: (status, given) =>
      Effect.suspend(() => {
        response.writeHead(status, given.flat())
        return write(new Uint8Array())
      }),
    write,
    end: Effect.callback((resume) => {
      response.end(() => resume(Effect.void))
    }),
    raw: (bytes) =>
      Effect.callback((resume) => {
        response.socket?.write(
          typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes,
          () => resume(Effect.void)
        )
      }),
    cut: (how) =>
      Effect.sync(() => {
        if (how === "End") response.socket?.destroy()
        else response.socket?.resetAndDestroy()
      })
  }
})

/** Starts an upstream that stops with its scope. */
export const startUpstream = Effect.fnUntraced(
  function*(responder: Responder): Effect.fn.Return<Upstream, never, Scope.Scope> {
    const exchanges: Array<Exchange> = []
    const first = yield* Deferred.make<Exchange>()
    const { origin } = yield* listen(
      Effect.fnUntraced(function*(request, response) {
        const exchange = yield* makeExchange(request, response)
        exchanges.push(exchange)
        yield* Deferred.succeed(first, exchange)
        yield* responder(exchange)
      }),
      // A connection that is closed as idle at the moment of its next use would look like a failing upstream.
      { keepAliveTimeout: 0 }
    )
    return { origin, exchanges, first: Deferred.await(first) }
  }
)

/** Responds once the whole request has arrived. */
export const respond = (status: number, fields: Fields, body: ReadonlyArray<Uint8Array> = []): Responder =>
  Effect.fnUntraced(function*(exchange) {
    yield* exchange.body
    yield* exchange.head(status, fields)
    for (const chunk of body) yield* exchange.write(chunk)
    yield* exchange.end
  })

/** Sends a short, ordinary response. */
export const ok: Responder = respond(200, [["content-length", "2"]], [new TextEncoder().encode("{}")])
