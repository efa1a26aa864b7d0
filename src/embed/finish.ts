import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import type * as Stream from "effect/Stream"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { type UpstreamError, UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { ResponseHead, UpstreamBody } from "../forward/GatewayClient.ts"
import { isEventStream } from "../forward/isEventStream.ts"
import { bufferingField, streamFields } from "../forward/responseHeaders.ts"
import { limitStream, responseLife } from "../forward/responseLife.ts"
import { type BoundSession, sealedAgain, sessionField, type SessionSeal } from "../forward/SessionSeal.ts"
import { changeBody } from "../http/changeBody.ts"
import { makeListing } from "../http/course/listing.ts"
import type { OwnResponses } from "../http/course/ownResponses.ts"
import { commonHeaders } from "../http/decorate.ts"
import type { Ending, Exchange } from "../http/Exchange.ts"
import type { Identity } from "../identity/Identity.ts"

export const handlerBrokeOff = (cause: unknown): UpstreamUnavailable =>
  new UpstreamUnavailable({ detail: "the handler's response broke off", cause })

/** How to complete the response to an admitted request. */
export interface Finish {
  readonly fields: Readonly<Record<string, string>>
  /**
   * The limit of the body, if any. An event stream that only listens ends with its token. One that responds to a message
   * is aborted after `MCP_RESPONSE_TIMEOUT` if its token has expired by then. Both are logged.
   */
  readonly limit:
    | (<E>(body: Stream.Stream<Uint8Array, E>) => Stream.Stream<Uint8Array, E | UpstreamUnavailable>)
    | undefined
  /**
   * Removes the items that the rules never allow the caller from lists in the body. Applied before `limit`. `undefined`
   * without rules.
   */
  readonly lists: ((body: UpstreamBody) => Effect.Effect<FilteredBody>) | undefined
}

/** A body that the client may get, or the response to send instead. */
export type FilteredBody =
  | { readonly _tag: "Body"; readonly body: UpstreamBody }
  | { readonly _tag: "Responded"; readonly response: HttpServerResponse }

/** The parts of an admitted request that its response depends on. */
interface AdmittedExchange {
  readonly exchange: Exchange
  readonly identity: Identity | undefined
  readonly session: BoundSession | undefined
  readonly listens: boolean
}

const exposeField = "access-control-expose-headers"

/**
 * Builds the function that completes the responses of an embedded handler: fields, session ids, ends of event streams.
 */
export const makeFinish = Effect.fnUntraced(function*(
  settings: GatewaySettings,
  sessions: SessionSeal,
  { reject }: OwnResponses,
  accessLog: (exchange: Exchange, ended: Ending | undefined) => Effect.Effect<void>
) {
  // The reader of a body also runs the code that limits it.
  const context = yield* Effect.context<never>()
  const clock = yield* Clock.Clock
  const listing = makeListing(settings, () => clock.currentTimeMillisUnsafe())

  const listsOf = (exchange: Exchange, head: ResponseHead): Finish["lists"] => {
    const listed = listing?.(exchange, head)
    if (listed === undefined) return undefined
    const rejected = (error: UpstreamError): Effect.Effect<FilteredBody> => {
      const { response } = reject(exchange, error)
      return Effect.as(Effect.provideContext(accessLog(exchange, undefined), context), { _tag: "Responded", response })
    }
    if (Result.isFailure(listed)) return () => rejected(listed.failure)
    const change = listed.success
    if (change === undefined) return undefined
    const onFault = (error: UpstreamError) => {
      exchange.error = error
    }
    return (body) =>
      Effect.matchEffect(changeBody(body, change, onFault), {
        onSuccess: (body) => Effect.succeed<FilteredBody>({ _tag: "Body", body }),
        onFailure: rejected
      })
  }

  return ({ exchange, identity, listens, session }: AdmittedExchange) =>
    Effect.fnUntraced(function*(
      status: number,
      field: (name: string) => string | undefined
    ): Effect.fn.Return<Finish> {
      const fields = commonHeaders(settings, exchange, field("vary"))
      const exposed = field(exposeField)
      if (exposed !== undefined) fields[exposeField] = `${fields[exposeField]}, ${exposed}`
      const ownSession = field(sessionField)
      if (session !== undefined && ownSession !== undefined) {
        fields[sessionField] = sealedAgain(session, ownSession) ?? (yield* sessions.seal(identity, ownSession))
      }
      Object.assign(fields, streamFields(field("content-type"), field(bufferingField)))
      const encoding = field("content-encoding")
      const lists = listsOf(exchange, {
        status,
        headers: {
          "content-type": field("content-type") ?? "",
          ...(encoding === undefined ? {} : { "content-encoding": encoding })
        }
      })
      if (!isEventStream(field("content-type"))) return { fields, lists, limit: undefined }
      const nowMillis = yield* Clock.currentTimeMillis
      const life = responseLife(settings, identity, { listens, nowMillis, type: field("content-type") })
      if (life === undefined) return { fields, lists, limit: undefined }
      exchange.status = status
      const onCut = Effect.provideContext(accessLog(exchange, life.reason), context)
      return { fields, lists, limit: limitStream(life, onCut) }
    })
})
