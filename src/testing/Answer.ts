/** How the issuer's answers get onto the wire: well, or as a `Misbehaviour` says. */
import * as Effect from "effect/Effect"
import type { ServerResponse } from "node:http"
import { Misbehaviour } from "./Misbehaviour.ts"

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

export const jsonAnswer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body)
})

const bytesOf = (body: string | Uint8Array): Uint8Array =>
  typeof body === "string" ? new TextEncoder().encode(body) : body

/** Writes, and waits until the socket takes more. */
const write = (response: ServerResponse, chunk: Uint8Array): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    response.write(chunk, () => resume(Effect.void))
  })

// RFC 9110, section 8.6: no Content-Length with 204; 304 has no body either.
const isBodiless = (status: number): boolean => status === 204 || status === 304

const writeHead = (response: ServerResponse, answer: Answer, length: number): void => {
  // A given Content-Length wins, so that a test can make it lie.
  const framing = isBodiless(answer.status) ? {} : { "content-length": String(length) }
  response.writeHead(answer.status, { ...framing, ...answer.headers })
}

const end = (response: ServerResponse, answer: Answer): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const body = bytesOf(answer.body)
    writeHead(response, answer, body.length)
    response.end(isBodiless(answer.status) ? undefined : body, () => resume(Effect.void))
  })

const disconnect = Effect.fnUntraced(
  function*(response: ServerResponse, answer: Answer, after: "Request" | "Head" | "HalfBody") {
    const body = bytesOf(answer.body)
    if (after !== "Request") {
      writeHead(response, answer, body.length)
      // The head must leave before the socket is cut, or the client sees nothing at all.
      yield* write(response, after === "Head" ? body.subarray(0, 0) : body.subarray(0, body.length >> 1))
    }
    response.socket?.destroy()
  }
)

const drip = Effect.fnUntraced(
  function*(response: ServerResponse, answer: Answer, pause: Effect.Effect<void>) {
    const body = bytesOf(answer.body)
    writeHead(response, answer, body.length)
    response.flushHeaders()
    for (let index = 0; index < body.length; index++) {
      yield* pause
      yield* write(response, body.subarray(index, index + 1))
    }
    response.end()
  }
)

const flood = Effect.fnUntraced(function*(response: ServerResponse, bytes: number) {
  const block = new Uint8Array(65_536).fill(0x61)
  response.writeHead(200, { "content-type": "application/json" })
  yield* write(response, bytesOf("\""))
  for (let left = bytes - 2; left > 0; left -= block.length) {
    yield* write(response, left < block.length ? block.subarray(0, left) : block)
  }
  response.end("\"")
})

/** Sends `answer`, or what `misbehaviour` makes of it. */
export const sendAnswer = (
  response: ServerResponse,
  answer: Answer,
  misbehaviour: Misbehaviour | undefined
): Effect.Effect<void> =>
  misbehaviour === undefined ? end(response, answer) : Misbehaviour.$match(misbehaviour, {
    Respond: ({ body, delay, headers, status }) => {
      const changed = end(response, {
        status: status ?? answer.status,
        headers: { ...answer.headers, ...headers },
        body: body ?? answer.body
      })
      return delay === undefined ? changed : Effect.delay(changed, delay)
    },
    Redirect: ({ location, status }) => end(response, { status: status ?? 302, headers: { location }, body: "" }),
    Hang: () => Effect.never,
    Drip: ({ interval }) => drip(response, answer, Effect.sleep(interval)),
    Flood: ({ bytes }) => flood(response, bytes),
    Disconnect: ({ after }) => disconnect(response, answer, after)
  })
