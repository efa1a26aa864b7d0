import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { noteBuiltOn, perConfiguration } from "../config/perConfiguration.ts"
import type { UpstreamError } from "../errors/GatewayError.ts"
import { GatewayClient, type UpstreamResponse } from "../forward/GatewayClient.ts"
import { ResponseBody } from "./ResponseBody.ts"
import type { AnswerReceiver } from "./UpstreamCall.ts"
import { type PendingCall, UpstreamPool } from "./UpstreamPool.ts"

type Resume = (effect: Effect.Effect<UpstreamResponse, UpstreamError>) => void

/** Turns the callbacks of a call into one answer, whose body is a stream where it is not short. */
const receive = (resume: Resume): AnswerReceiver => {
  let body: ResponseBody | undefined
  return {
    whole: (head, bytes) =>
      resume(Effect.succeed({ ...head, body: bytes === undefined ? { _tag: "Empty" } : { _tag: "Bytes", bytes } })),
    begin: (head, controller) => {
      body = new ResponseBody(controller)
      resume(Effect.succeed({ ...head, body: { _tag: "Stream", stream: body.stream } }))
    },
    piece: (chunk) => body?.push(chunk),
    end: () => body?.end(),
    fail: (error) => body === undefined ? resume(Effect.fail(error)) : body.fail(error)
  }
}

const make = Effect.map(UpstreamPool, (pool) =>
  noteBuiltOn(
    GatewayClient.of({
      send: (request) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.suspend(() => {
            let call: PendingCall | undefined
            const cancel = Effect.sync(() => call?.cancel())
            const sent = Effect.callback<UpstreamResponse, UpstreamError>((resume) => {
              call = pool.send(request, receive(resume))
              return cancel
            })
            return Effect.tap(restore(sent), (response) =>
              // Until the head is there interrupting cancels; afterwards only a body that is still arriving needs it.
              response.body._tag === "Stream" ? Effect.addFinalizer(() => cancel) : Effect.void)
          })
        )
    }),
    pool
  ))

/** `GatewayClient` on `undici`, with connections of its own. */
export const layer: Layer.Layer<GatewayClient, InvalidConfiguration, GatewayConfig> = perConfiguration(
  Layer.effect(GatewayClient, make).pipe(Layer.provide(UpstreamPool.layer))
)
