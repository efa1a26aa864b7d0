import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { UpstreamUnavailable } from "../errors/GatewayError.ts"
import { isEventStream } from "../forward/isEventStream.ts"
import { bufferingField, unbuffered } from "../forward/responseHeaders.ts"
import { limitStream, responseLife } from "../forward/responseLife.ts"
import { type BoundSession, sealedAgain, sessionField, type SessionSeal } from "../forward/SessionSeal.ts"
import { commonHeaders } from "../http/decorate.ts"
import type { Ending, Exchange } from "../http/Exchange.ts"
import type { Identity } from "../identity/Identity.ts"

/** What the response to an admitted request still needs. */
export interface Finish {
  /** The fields to set. */
  readonly fields: Readonly<Record<string, string>>
  /**
   * The limit of the body, if any. An event stream that only listens ends with its token. One that responds to a message
   * is aborted after `MCP_RESPONSE_TIMEOUT` if its token has expired by then. Both are logged.
   */
  readonly limit:
    | (<E>(body: Stream.Stream<Uint8Array, E>) => Stream.Stream<Uint8Array, E | UpstreamUnavailable>)
    | undefined
}

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
  accessLog: (exchange: Exchange, ended: Ending | undefined) => Effect.Effect<void>
) {
  // The consumer of a body runs the code that ends it.
  const context = yield* Effect.context<never>()

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
      const isStream = isEventStream(field("content-type"))
      if (isStream && field(bufferingField) === undefined) fields[bufferingField] = unbuffered
      if (!isStream) return { fields, limit: undefined }
      const nowMillis = yield* Clock.currentTimeMillis
      const life = responseLife(settings, identity, { listens, nowMillis, type: field("content-type") })
      if (life === undefined) return { fields, limit: undefined }
      exchange.status = status
      const onCut = Effect.provideContext(accessLog(exchange, life.reason), context)
      return { fields, limit: limitStream(life, onCut) }
    })
})
