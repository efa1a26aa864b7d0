/** The issuer's responses on the wire, for every transport: ordinary, or changed by a `Misbehaviour`. */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { IssuerResponse } from "./IssuerResponse.ts"
import { Misbehaviour } from "./Misbehaviour.ts"

/** The issuer closes the connection here. */
export class Disconnected extends Data.TaggedError("Disconnected")<{}> {}

/** A head, then a body in pieces. */
export interface WireResponse {
  readonly status: number
  /** With a `Content-Length`, if the response has one. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Stream.Stream<Uint8Array, Disconnected>
}

// RFC 9110, section 8.6: no Content-Length with 204; 205 and 304 have no body either.
export const isBodiless = (status: number): boolean => status === 204 || status === 205 || status === 304

const bytesOf = (body: string | Uint8Array): Uint8Array =>
  typeof body === "string" ? new TextEncoder().encode(body) : body

const sent = (
  { body, headers, status }: IssuerResponse,
  pieces: (bytes: Uint8Array) => WireResponse["body"] = Stream.succeed
): Effect.Effect<WireResponse> => {
  if (isBodiless(status)) return Effect.succeed({ status, headers, body: Stream.empty })
  const bytes = bytesOf(body)
  // A given `Content-Length` takes precedence, so that a test can send a wrong one.
  const framing = { "content-length": String(bytes.length) }
  return Effect.succeed({ status, headers: { ...framing, ...headers }, body: pieces(bytes) })
}

const drip = (bytes: Uint8Array, interval: Duration.Input) =>
  Stream.mapEffect(Stream.fromIterable(bytes), (byte) => Effect.as(Effect.sleep(interval), Uint8Array.of(byte)))

const disconnected = Stream.fail(new Disconnected())

const block = new Uint8Array(65_536).fill(0x61)

function* letters(bytes: number) {
  yield bytesOf("\"")
  for (let left = bytes - 2; left > 0; left -= block.length) yield block.subarray(0, left)
  yield bytesOf("\"")
}

/** Returns the response on the wire, changed by `misbehaviour`. Fails if not even a head is sent. */
export const wireResponse = (
  ordinary: IssuerResponse,
  misbehaviour: Misbehaviour | undefined
): Effect.Effect<WireResponse, Disconnected> =>
  misbehaviour === undefined ? sent(ordinary) : Misbehaviour.$match(misbehaviour, {
    Respond: ({ body, delay, headers, status }) => {
      const changed = sent({
        status: status ?? ordinary.status,
        headers: { ...ordinary.headers, ...headers },
        body: body ?? ordinary.body
      })
      return delay === undefined ? changed : Effect.delay(changed, delay)
    },
    Redirect: ({ location, status }) => sent({ status: status ?? 302, headers: { location }, body: "" }),
    Hang: () => Effect.never,
    Drip: ({ interval }) => sent(ordinary, (bytes) => drip(bytes, interval)),
    Flood: ({ bytes }) =>
      Effect.succeed({
        status: 200,
        headers: { "content-type": "application/json" },
        // One block at a time: an endless body must not be collected in memory.
        body: Stream.fromIterable(letters(bytes), { chunkSize: 1 })
      }),
    Disconnect: ({ after }) =>
      after === "Request"
        ? Effect.fail(new Disconnected())
        : sent(ordinary, (bytes) =>
          after === "Head"
            ? disconnected
            : Stream.concat(Stream.succeed(bytes.subarray(0, bytes.length >> 1)), disconnected))
  })
