import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../errors/GatewayError.ts"
import type { UpstreamBody } from "../forward/GatewayClient.ts"
import { joinBytes } from "../message/json/spliceBytes.ts"
import { CollectedBody } from "./course/bodyChange.ts"
import type { BodyChange } from "./course/steps.ts"

type Arriving = Extract<UpstreamBody, { readonly _tag: "Stream" }>["stream"]

/** Collects a body that is forwarded only after its end has been checked. */
const collect = (stream: Arriving, change: BodyChange): Effect.Effect<UpstreamBody, UpstreamError> => {
  const collected = new CollectedBody(change)
  return stream.pipe(
    Stream.runForEach((chunk) => {
      const error = collected.push(chunk)
      return error === undefined ? Effect.void : Effect.fail(error)
    }),
    Effect.andThen(Effect.suspend(() => Effect.fromResult(collected.end()))),
    Effect.map((pieces) => ({ _tag: "Bytes", bytes: joinBytes(pieces) }))
  )
}

/** Changes a body while it is forwarded; the stream fails at a fault. */
const pass = (
  stream: Arriving,
  { faulty, filter }: BodyChange,
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
 * Changes the body of a response according to the course.
 *
 * @param onFault called for a fault in a body of which the client already has a part
 */
export const changeBody = (
  body: UpstreamBody,
  change: BodyChange | undefined,
  onFault: (error: UpstreamError) => void
): Effect.Effect<UpstreamBody, UpstreamError> => {
  if (change === undefined || body._tag === "Empty") return Effect.succeed(body)
  if (body._tag === "Bytes") return collect(Stream.succeed(body.bytes), change)
  return change.whole === undefined
    ? Effect.succeed({ _tag: "Stream", stream: pass(body.stream, change, onFault) })
    : collect(body.stream, change)
}
