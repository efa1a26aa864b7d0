import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../errors/GatewayError.ts"
import type { Dispatch, GatewayClient, ResponseReceiver, UpstreamRequest, UpstreamResponse } from "./GatewayClient.ts"

/** Passes a response to its receiver, and the body no faster than the receiver accepts it. */
const tell = (
  { body, ...head }: UpstreamResponse,
  receiver: ResponseReceiver
): Effect.Effect<void, UpstreamError> => {
  switch (body._tag) {
    case "Empty":
      return Effect.sync(() => receiver.whole(head, undefined))
    case "Bytes":
      return Effect.sync(() => receiver.whole(head, body.bytes))
    case "Stream":
      return Effect.suspend(() => {
        const flow = Latch.makeUnsafe(true)
        receiver.begin(head, { pause: () => flow.closeUnsafe(), resume: () => flow.openUnsafe() })
        return Stream.runForEach(body.stream, (chunk) => {
          receiver.piece(chunk)
          return flow.await
        })
      }).pipe(Effect.andThen(Effect.sync(() => receiver.end())))
  }
}

/** Derives `dispatch` from `send`, for a client that has only effects. */
export const dispatchThrough = (
  send: GatewayClient["Service"]["send"],
  run: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
): Dispatch => {
  const sendTo = (request: UpstreamRequest, receiver: ResponseReceiver) =>
    // The driver has its own span for the request. Here the parent is unknown, so a span would begin another trace.
    Effect.withTracerEnabled(
      Effect.scoped(Effect.flatMap(send(request), (response) => tell(response, receiver))),
      false
    )

  return (request, receiver) => {
    const fiber = run(sendTo(request, receiver))
    fiber.addObserver((exit) => {
      if (Exit.isSuccess(exit)) return
      const failure = Cause.findError(exit.cause)
      if (Result.isSuccess(failure)) receiver.fail(failure.success)
      else if (!Cause.hasInterruptsOnly(exit.cause)) receiver.fault(Cause.squash(exit.cause))
    })
    return {
      cancel: () => fiber.interruptUnsafe(),
      // The timeout of `send` runs from the start, because the message is already complete.
      startClock: () => {},
      stopClock: () => {}
    }
  }
}
