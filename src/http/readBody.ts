import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import { InvalidRequest } from "../errors/GatewayError.ts"
import type { Next, ReadBody } from "./course/steps.ts"

/** The connection ended within the body. */
const bodyBrokeOff = new InvalidRequest({ reason: "MalformedMessage", detail: "the body broke off" })

/**
 * Carries out the step that reads a body. Reads all of it, because messages are checked before any part is sent
 * upstream.
 */
export const readBody = <A>(
  request: HttpServerRequest.HttpServerRequest,
  { limit, rejected, tooLarge, whole }: ReadBody<A>
): Effect.Effect<Next<A>> =>
  request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(limit)),
    Effect.match({
      onSuccess: (buffer) => whole(new Uint8Array(buffer)),
      onFailure: ({ reason }) =>
        reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge" ? tooLarge() : rejected(bodyBrokeOff)
    })
  )
