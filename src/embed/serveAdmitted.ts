/** Passes an admitted request to an Effect handler, and completes its response. */
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { UpstreamBody } from "../forward/GatewayClient.ts"
import { CurrentIdentity } from "../identity/CurrentIdentity.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Admitted } from "./Admitted.ts"
import { handlerBrokeOff } from "./finish.ts"

/**
 * Provides the caller. A request without a token, which rules may permit, has no caller: a handler that requires
 * `CurrentIdentity` then fails, and the response is 500.
 */
const provideCaller =
  (identity: Identity | undefined) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, CurrentIdentity>> =>
    identity === undefined
      // The service may be missing at run time, which the type does not express.
      // @effect-diagnostics-next-line unsafeEffectTypeAssertion:off
      ? self as Effect.Effect<A, E, Exclude<R, CurrentIdentity>>
      : Effect.provideService(self, CurrentIdentity, identity)

const bodyOf = (response: HttpServerResponse.HttpServerResponse): UpstreamBody => {
  const { body } = response
  switch (body._tag) {
    case "Empty":
      return { _tag: "Empty" }
    case "Uint8Array":
      return { _tag: "Bytes", bytes: body.body }
    case "Stream":
      return { _tag: "Stream", stream: Stream.mapError(body.stream, handlerBrokeOff) }
    default: {
      const stream = HttpServerResponse.toWeb(response).body
      return stream === null
        ? { _tag: "Empty" }
        : { _tag: "Stream", stream: Stream.fromReadableStream({ evaluate: () => stream, onError: handlerBrokeOff }) }
    }
  }
}

const withBody = (
  response: HttpServerResponse.HttpServerResponse,
  body: UpstreamBody
): HttpServerResponse.HttpServerResponse => {
  const type = response.headers["content-type"] ?? ""
  const plain = HttpServerResponse.removeHeader(response, "content-length")
  switch (body._tag) {
    case "Empty":
      return response
    case "Bytes":
      return HttpServerResponse.setBody(plain, HttpBody.uint8Array(body.bytes, type))
    case "Stream":
      return HttpServerResponse.setBody(plain, HttpBody.stream(body.stream, type))
  }
}

/** The final response: its lists filtered, with the gateway's fields, and an event stream that ends with its token. */
const finished = Effect.fnUntraced(function*(
  { finish }: Admitted<Identity | undefined>,
  response: HttpServerResponse.HttpServerResponse
): Effect.fn.Return<HttpServerResponse.HttpServerResponse> {
  const { headers, status } = response
  const { fields, limit, lists } = yield* finish(status, (name) => headers[name])
  const filtered = lists === undefined ? undefined : yield* lists(bodyOf(response))
  if (filtered?._tag === "Responded") return filtered.response
  const changed = filtered === undefined ? response : withBody(response, filtered.body)
  const { body } = changed
  const limited = limit === undefined || body._tag !== "Stream"
    ? changed
    : HttpServerResponse.setBody(changed, HttpBody.stream(limit(body.stream), body.contentType))
  return HttpServerResponse.setHeaders(limited, fields)
})

/** Runs a handler for an admitted request, whose caller it provides. */
export const serveAdmitted = <E, R>(
  admitted: Admitted<Identity | undefined>,
  handler: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) =>
  Effect.gen(function*() {
    const finish = HttpEffect.appendPreResponseHandler((_, response) => finished(admitted, response))
    yield* Effect.annotateCurrentSpan(admitted.annotations)
    return yield* handler.pipe(
      Effect.annotateLogs(admitted.annotations),
      Effect.annotateSpans(admitted.annotations),
      provideCaller(admitted.identity),
      Effect.provideService(HttpServerRequest.HttpServerRequest, admitted.request),
      // Outermost, so that a failure of the handler has already become a response.
      Effect.ensuring(finish)
    )
  })
