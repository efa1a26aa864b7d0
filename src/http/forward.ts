import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { UpstreamError } from "../errors/GatewayError.ts"
import type { GatewayClient, UpstreamBody, UpstreamRequest, UpstreamResponse } from "../forward/GatewayClient.ts"
import { limitStream } from "../forward/responseLife.ts"
import { changeBody } from "./changeBody.ts"
import type { Perform } from "./course/perform.ts"
import type { HeadStep, Relay, Resend, Respond, Sending } from "./course/steps.ts"
import type { Exchange } from "./Exchange.ts"
import { inspectBody } from "./inspectBody.ts"
import { relay } from "./relay.ts"
import { beginForward, inTrace } from "./RequestTrace.ts"

/** A response that can be forwarded, and its body. */
interface Relayed {
  readonly step: Relay
  readonly body: UpstreamBody
}

/** Carries out the steps for a response until it can be forwarded, or is replaced. */
const follow = Effect.fnUntraced(function*(
  perform: Perform,
  first: HeadStep,
  received: UpstreamBody
): Effect.fn.Return<Respond | Resend | Relayed, UpstreamError, Scope.Scope> {
  let step = first
  let body = received
  while (true) {
    switch (step._tag) {
      case "Respond":
      case "Resend":
        return step
      case "Relay":
        return { step, body }
      case "Notify":
        yield* step.log
        step = step.next
        break
      case "SealSession":
        step = yield* perform.seal(step)
        break
      case "Inspect": {
        const inspected = yield* inspectBody(step.reader, body)
        body = inspected.body
        step = step.read(inspected.isRejected)
        break
      }
      default:
        return step satisfies never
    }
  }
})

const write = Effect.fnUntraced(function*(
  exchange: Exchange,
  { body, step }: Relayed
): Effect.fn.Return<HttpServerResponse, UpstreamError> {
  const changed = yield* changeBody(body, step.change, (error) => {
    exchange.error = error
  })
  const life = changed._tag === "Stream" ? step.life() : undefined
  if (changed._tag !== "Stream" || life === undefined) return relay(step, changed)
  const onCut = Effect.sync(() => {
    exchange.ended = life.reason
  })
  return relay(step, { _tag: "Stream", stream: limitStream(life, onCut)(changed.stream) })
})

/** Sends a request, in its own span if the exchange is traced. */
const sendIn = (
  { trace }: Exchange,
  client: GatewayClient["Service"],
  request: UpstreamRequest
): Effect.Effect<UpstreamResponse, UpstreamError, Scope.Scope> =>
  trace === undefined ? client.send(request) : Effect.suspend(() => {
    const forward = beginForward(trace, request)
    return inTrace({ trace: { ...trace, span: forward.span } }, client.send(forward.request)).pipe(
      Effect.onExit((exit) =>
        Effect.sync(() => {
          if (Exit.isSuccess(exit)) return forward.arrived(exit.value)
          if (Cause.hasInterruptsOnly(exit.cause)) return forward.cancelled()
          forward.failed(Result.getOrUndefined(Cause.findError(exit.cause)))
        })
      )
    )
  })

/**
 * Sends a request, and handles its response as the course determines.
 *
 * The scope of the effect must stay open as long as the body of the response is read; closing it cancels the request.
 */
export const forward = (
  client: GatewayClient["Service"],
  perform: Perform,
  exchange: Exchange,
  { head, rejected, request }: Sending
): Effect.Effect<HttpServerResponse, never, Scope.Scope> => {
  const send = Effect.fnUntraced(function*(
    request: UpstreamRequest
  ): Effect.fn.Return<HttpServerResponse, UpstreamError, Scope.Scope> {
    const scope = yield* Scope.fork(yield* Scope.Scope)
    const next = yield* sendIn(exchange, client, request).pipe(
      Effect.flatMap(({ body, ...received }) => follow(perform, head(received, body._tag !== "Empty"), body)),
      Scope.provide(scope)
    )
    if (!("_tag" in next)) return yield* write(exchange, next)
    if (next._tag === "Respond") return next.response
    yield* Scope.close(scope, Exit.void)
    return yield* send(next.request)
  })
  return Effect.catch(send(request), (error) => Effect.succeed(rejected(error).response))
}
