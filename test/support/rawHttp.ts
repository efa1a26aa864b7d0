/** Sends bytes over a TCP connection and reads the reply, for tests of framing. */
import * as Effect from "effect/Effect"
import { connect } from "node:net"
import { type RawResponses, readResponses } from "./rawResponses.ts"

export interface RawExchangeOptions {
  /**
   * The number of final responses (not 1xx) after which to return. Default: 1. `Infinity` reads until the peer closes,
   * which shows how many requests the peer has read from the bytes.
   */
  readonly responses?: number
  /** Return if nothing arrives for this long, in milliseconds of real time. Default: 12,000. */
  readonly idleMillis?: number
  /** Whether the requests are `HEAD`, so that no response has a body. */
  readonly bodiless?: boolean
}

export interface RawExchange extends RawResponses {
  /** Everything that was received. */
  readonly received: Uint8Array
  /** How the wait ended. */
  readonly outcome: "Responded" | "Closed" | "Reset" | "Idle"
}

/**
 * Connects to `origin` (an `http:` URL or a bare `host:port`), sends, and reads.
 *
 * An array is sent in pieces, each in its own segment. Text is sent as Latin-1, so that `\xff` is one byte. Dies if the
 * peer does not accept the connection, or responds with something other than HTTP.
 */
export const rawExchange = (
  origin: string,
  bytes: string | Uint8Array | ReadonlyArray<string | Uint8Array>,
  options: RawExchangeOptions = {}
): Effect.Effect<RawExchange> =>
  Effect.callback<RawExchange>((resume) => {
    const { hostname, port } = new URL(origin.includes("://") ? origin : `http://${origin}`)
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 80), noDelay: true })
    const chunks: Array<Uint8Array> = []
    const wanted = options.responses ?? 1

    const finish = (outcome: RawExchange["outcome"]) => {
      resume(Effect.sync(() => {
        const received = Buffer.concat(chunks)
        const read = readResponses(received, { closed: outcome === "Closed", bodiless: options.bodiless ?? false })
        return { ...read, received, outcome }
      }))
      socket.destroy()
    }

    const pieces = Array.isArray(bytes) ? [...bytes] : [bytes]
    const sendNext = () => {
      const piece = pieces.shift()
      if (piece === undefined || socket.destroyed) return
      socket.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece, () => setImmediate(sendNext))
    }

    socket.setTimeout(options.idleMillis ?? 12_000)
    socket.on("connect", sendNext)
    socket.on("timeout", () => finish("Idle"))
    socket.on("end", () => finish("Closed"))
    socket.on("error", (cause) =>
      chunks.length === 0 && socket.bytesWritten === 0 ? resume(Effect.die(cause)) : finish("Reset"))
    socket.on("data", (chunk) => {
      chunks.push(chunk)
      if (wanted === Infinity) {
        return
      }
      const read = readResponses(Buffer.concat(chunks), { closed: false, bodiless: options.bodiless ?? false })
      if (
        read.responses.filter(({ status }) =>
          status >= 200
        ).length >= wanted
      ) finish("Responded")
    })
    return Effect.sync(() => socket.destroy())
  })

/** A request as bytes: the lines joined by CRLF, an empty line, the body. */
export const rawRequest = (lines: ReadonlyArray<string>, body = ""): string => `${lines.join("\r\n")}\r\n\r\n${body}`
