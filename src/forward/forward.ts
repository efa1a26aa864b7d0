import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { InvalidRequest, UpstreamError, UpstreamScopeRequired } from "../errors/GatewayError.ts"
import { initializeEvents } from "../message/initializeEvents.ts"
import { injectAuthInfo } from "../message/initializeResponse.ts"
import { joinBytes } from "../message/json/spliceBytes.ts"
import { GatewayClient, type UpstreamBody, type UpstreamRequest, type UpstreamResponse } from "./GatewayClient.ts"
import { answerTooLarge, injectable, withoutLength } from "./injection.ts"
import { judgeRefusal, notRefused } from "./judgeRefusal.ts"
import { type Addition, type AdmittedRequest, type Injection, makePrepare, type Prepared } from "./prepare.ts"
import { logRespelled } from "./redirect.ts"
import { refuseAnswer } from "./refuseAnswer.ts"
import { responseHeaders } from "./responseHeaders.ts"
import { type CutReason, limitStream, responseLife } from "./responseLife.ts"
import { logStrict } from "./strictServer.ts"

/** Reads a JSON answer whole, to add to it; one over `limit` bytes is refused, for an `initialize` answer is small. */
const readWhole = (
  body: Exclude<UpstreamBody, { _tag: "Empty" }>,
  limit: number
): Effect.Effect<Uint8Array, UpstreamError> => {
  if (body._tag === "Bytes") return Effect.succeed(body.bytes)
  let size = 0
  return body.stream.pipe(
    Stream.mapEffect((chunk) => {
      size += chunk.length
      return size > limit ? Effect.fail(answerTooLarge()) : Effect.succeed(chunk)
    }),
    Stream.runCollect,
    Effect.map(joinBytes)
  )
}

/** Adds `authInfo` to the answer of `initialize`, whichever of the two forms it has. */
const withAuthInfo = Effect.fnUntraced(function*(
  response: UpstreamResponse,
  injection: Injection
): Effect.fn.Return<UpstreamResponse, UpstreamError> {
  const { body } = response
  if (body._tag === "Empty") return response
  const { authInfo, id, limit } = injection
  switch (injectable(response)) {
    case "Message": {
      const bytes = injectAuthInfo(yield* readWhole(body, limit), authInfo, id)
      return { ...response, headers: withoutLength(response.headers), body: { _tag: "Bytes", bytes } }
    }
    case "Events": {
      const events = body._tag === "Bytes" ? Stream.make(body.bytes) : body.stream
      const stream = initializeEvents({ authInfo, id, maxEventBytes: limit })(events)
      return { ...response, headers: withoutLength(response.headers), body: { _tag: "Stream", stream } }
    }
    case "Neither":
      return response
  }
})

/**
 * Builds the last stage of a request: preparation, the call, and the rules for the answer.
 *
 * The resulting effect needs a scope that lives as long as the answer's body; closing it cancels the upstream request.
 * `onCut` hears of a response that the gateway cuts. The body is JSON, `undefined` when there is none. It fails with `InvalidRequest` when the body is not one unambiguous JSON-RPC message, and with an `UpstreamError`
 * when the MCP server does not give an answer that may be handed on, and with `UpstreamScopeRequired` when it needs more
 * scopes of the caller.
 */
export const makeForward = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const client = yield* GatewayClient
  const clock = yield* Clock.Clock
  const prepare = makePrepare(settings, () => clock.currentTimeMillisUnsafe())

  const send = Effect.fnUntraced(function*(request: UpstreamRequest, respelled: Prepared["respelled"]) {
    const first = yield* client.send(request)
    const again = respelled(first)
    if (again === undefined) return first
    yield* logRespelled(first)
    return yield* client.send(again)
  })

  /** An `initialize` that was refused with an addition is sent once more without it; if that is taken, it is remembered. */
  const sendWithout = Effect.fnUntraced(function*(addition: Addition) {
    const { refused, response } = yield* judgeRefusal(yield* client.send(addition.without()))
    if (refused) return response
    addition.learn()
    yield* logStrict
    return response
  })

  return Effect.fnUntraced(function*(
    admitted: AdmittedRequest,
    body: Uint8Array | undefined,
    onCut: (reason: CutReason) => Effect.Effect<void>
  ): Effect.fn.Return<UpstreamResponse, InvalidRequest | UpstreamError | UpstreamScopeRequired, Scope.Scope> {
    const prepared = prepare.whole(admitted, body)
    if (Result.isFailure(prepared)) return yield* prepared.failure
    const { addition, listens, request, respelled } = prepared.success
    const scope = yield* Scope.fork(yield* Scope.Scope)
    const sent = yield* Scope.provide(send(request, respelled), scope)
    const judged = addition === undefined ? notRefused(sent) : yield* Scope.provide(judgeRefusal(sent), scope)
    if (judged.refused) yield* Scope.close(scope, Exit.void)
    const { injection, response } = addition === undefined || !judged.refused
      ? { injection: prepared.success.injection, response: judged.response }
      : { injection: undefined, response: yield* sendWithout(addition) }
    const { identity } = admitted.admission
    const refused = refuseAnswer(response, settings, identity)
    if (refused !== undefined) return yield* refused
    const answer = { ...response, headers: responseHeaders(response.headers) }
    const whole = injection === undefined ? answer : yield* withAuthInfo(answer, injection)
    if (whole.body._tag !== "Stream") return whole
    const nowMillis = yield* Clock.currentTimeMillis
    const life = responseLife(settings, identity, { listens, nowMillis, type: whole.headers["content-type"] })
    return life === undefined
      ? whole
      : { ...whole, body: { _tag: "Stream", stream: limitStream(life, onCut(life.reason))(whole.body.stream) } }
  })
})
