import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../errors/GatewayError.ts"
import type { UpstreamBody } from "../forward/GatewayClient.ts"
import type { RejectionReader } from "../forward/strictServer.ts"

/** What the reader found, and the whole body, including the bytes that were read. */
export interface InspectedBody {
  readonly isRejected: boolean
  readonly body: UpstreamBody
}

/** Reads as much of a body as the reader needs. */
export const inspectBody = Effect.fnUntraced(function*(
  reader: RejectionReader,
  body: UpstreamBody
): Effect.fn.Return<InspectedBody, UpstreamError, Scope.Scope> {
  if (body._tag === "Empty") return { isRejected: reader.end(), body }
  if (body._tag === "Bytes") return { isRejected: reader.whole(body.bytes), body }
  const pull = yield* Stream.toPull(Stream.rechunk(body.stream, 1))
  const rest = Stream.fromPull(Effect.succeed(pull))
  let isRejected: boolean | undefined
  let hasEnded = false
  while (isRejected === undefined) {
    const chunk = yield* Pull.matchEffect(pull, {
      onSuccess: ([chunk]) => Effect.succeed<Uint8Array | undefined>(chunk),
      onFailure: Effect.failCause,
      onDone: () => Effect.undefined
    })
    hasEnded = chunk === undefined
    isRejected = chunk === undefined ? reader.end() : reader.push(chunk)
  }
  const held = Stream.fromIterable(reader.held)
  const stream = hasEnded ? held : Stream.concat(held, rest)
  return { isRejected, body: { _tag: "Stream", stream } }
})
