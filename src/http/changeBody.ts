import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../errors/GatewayError.ts"
import type { UpstreamBody } from "../forward/GatewayClient.ts"
import { joinBytes } from "../message/json/spliceBytes.ts"
import type { BodyChange } from "./course/steps.ts"

type Arriving = Extract<UpstreamBody, { readonly _tag: "Stream" }>["stream"]

/** Collects a body; it fails where that is longer than the limit. */
const collect = (
  stream: Arriving,
  { limit, tooLarge }: Extract<BodyChange, { readonly _tag: "Message" }>
): Effect.Effect<Uint8Array, UpstreamError> => {
  let size = 0
  return stream.pipe(
    Stream.mapEffect((chunk) => {
      size += chunk.length
      return size > limit ? Effect.fail(tooLarge()) : Effect.succeed(chunk)
    }),
    Stream.runCollect,
    Effect.map(joinBytes)
  )
}

/** Changes the body of a response as the course says. */
export const changeBody = (
  body: UpstreamBody,
  change: BodyChange | undefined
): Effect.Effect<UpstreamBody, UpstreamError> => {
  if (change === undefined || body._tag === "Empty") return Effect.succeed(body)
  switch (change._tag) {
    case "Message": {
      const whole = body._tag === "Bytes" ? Effect.succeed(body.bytes) : collect(body.stream, change)
      return Effect.map(whole, (bytes) => ({ _tag: "Bytes", bytes: change.apply(bytes) }))
    }
    case "Events": {
      const { framer } = change
      return Effect.succeed(
        body._tag === "Bytes"
          ? { _tag: "Bytes", bytes: joinBytes([...framer.push(body.bytes), ...framer.end()]) }
          : {
            _tag: "Stream",
            stream: Stream.mapAccum(
              body.stream,
              () => framer,
              (framer, chunk) => [framer, framer.push(chunk)] as const,
              { onHalt: (framer) => framer.end() }
            )
          }
      )
    }
  }
}
