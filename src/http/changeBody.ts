import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../errors/GatewayError.ts"
import type { UpstreamBody } from "../forward/GatewayClient.ts"
import { joinBytes } from "../message/json/spliceBytes.ts"
import { applyChange } from "./course/bodyChange.ts"
import type { BodyChange } from "./course/steps.ts"

type Arriving = Extract<UpstreamBody, { readonly _tag: "Stream" }>["stream"]

/** Collects a body; it fails where that is longer than the limit. */
const collect = (
  stream: Arriving,
  { limit, tooLarge }: Extract<BodyChange, { readonly _tag: "Message" }>
): Effect.Effect<ReadonlyArray<Uint8Array>, UpstreamError> => {
  let size = 0
  return stream.pipe(
    Stream.mapEffect((chunk) => {
      size += chunk.length
      return size > limit ? Effect.fail(tooLarge()) : Effect.succeed(chunk)
    }),
    Stream.runCollect
  )
}

/** Changes a body while it passes; it fails where a fault is found. */
const pass = (
  stream: Arriving,
  { faulty, filter }: Extract<BodyChange, { readonly _tag: "Passing" }>,
  onFault: (error: UpstreamError) => void
): Arriving => {
  const leaving = (pieces: ReadonlyArray<Uint8Array>) => {
    if (filter.fault === undefined) return Stream.fromIterable(pieces)
    const error = faulty(filter.fault)
    onFault(error)
    return Stream.fail(error)
  }
  return Stream.concat(
    Stream.flatMap(Stream.rechunk(stream, 1), (chunk) => leaving(filter.push(chunk))),
    Stream.suspend(() => leaving(filter.end()))
  )
}

/**
 * Changes the body of a response as the course says.
 *
 * @param onFault hears of a fault in a body that has begun to leave
 */
export const changeBody = (
  body: UpstreamBody,
  change: BodyChange | undefined,
  onFault: (error: UpstreamError) => void
): Effect.Effect<UpstreamBody, UpstreamError> => {
  if (change === undefined || body._tag === "Empty") return Effect.succeed(body)
  const changed = (pieces: ReadonlyArray<Uint8Array>): Effect.Effect<UpstreamBody, UpstreamError> =>
    Effect.map(Effect.fromResult(applyChange(change, pieces)), (left) => ({ _tag: "Bytes", bytes: joinBytes(left) }))
  if (body._tag === "Bytes") return changed([body.bytes])
  return change._tag === "Passing"
    ? Effect.succeed({ _tag: "Stream", stream: pass(body.stream, change, onFault) })
    : Effect.flatMap(collect(body.stream, change), changed)
}
