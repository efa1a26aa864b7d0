import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../errors/GatewayError.ts"
import type { UpstreamResponse } from "./GatewayClient.ts"
import { RefusalReader } from "./strictServer.ts"

/** An answer to `initialize`, and whether it refuses the request for what is in it. */
export interface JudgedAnswer {
  readonly refused: boolean
  /** The answer as it was, whatever of its body had to be read. */
  readonly response: UpstreamResponse
}

export const notRefused = (response: UpstreamResponse): JudgedAnswer => ({ refused: false, response })

/** Reads an answer to `initialize` as far as it has to be known whether it is a refusal. */
export const judgeRefusal = Effect.fnUntraced(function*(
  response: UpstreamResponse
): Effect.fn.Return<JudgedAnswer, UpstreamError, Scope.Scope> {
  const reader = RefusalReader.make(response)
  const { body } = response
  if (reader === undefined) return notRefused(response)
  if (body._tag === "Empty") return { refused: reader.end(), response }
  if (body._tag === "Bytes") return { refused: reader.whole(body.bytes), response }
  const pull = yield* Stream.toPull(Stream.rechunk(body.stream, 1))
  const rest = Stream.fromPull(Effect.succeed(pull))
  let refused: boolean | undefined
  let hasEnded = false
  while (refused === undefined) {
    const chunk = yield* Pull.matchEffect(pull, {
      onSuccess: ([chunk]) => Effect.succeed<Uint8Array | undefined>(chunk),
      onFailure: Effect.failCause,
      onDone: () => Effect.undefined
    })
    hasEnded = chunk === undefined
    refused = chunk === undefined ? reader.end() : reader.push(chunk)
  }
  const held = Stream.fromIterable(reader.held)
  const stream = hasEnded ? held : Stream.concat(held, rest)
  return { refused, response: { ...response, body: { _tag: "Stream", stream } } }
})
