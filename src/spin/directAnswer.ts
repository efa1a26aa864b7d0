import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"
import { Admission } from "../authorize/Admission.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { layerLogging } from "../config/kinds/logging.ts"
import { makePrepare } from "../forward/prepare.ts"
import { refuseAnswer } from "../forward/refuseAnswer.ts"
import { responseHeaders } from "../forward/responseHeaders.ts"
import { sessionField } from "../forward/SessionSeal.ts"
import { toClientRequest } from "../forward/toClientRequest.ts"
import { makeAccessLog } from "../http/accessLog.ts"
import { admitted, credentialOf } from "../http/admit.ts"
import { commonHeaders } from "../http/decorate.ts"
import { begin, type Exchange } from "../http/Exchange.ts"
import { expectsBody } from "../http/readBody.ts"
import { makeReceive } from "../http/receive.ts"
import { makeRoute } from "../http/route.ts"
import type { Identity } from "../identity/Identity.ts"
import { collected, fieldsOf, inTime, isPlain, send } from "./directFetch.ts"
import type { Host } from "./Host.ts"

/** What is left to do for a request that has no direct answer. */
export interface Remainder {
  /** The request, its body unread or to be read again. */
  readonly request: Request
  /** Gives what the MCP server has answered already, so that it is not asked twice. */
  readonly fetch: typeof globalThis.fetch
}

/** A longer message is left to the layers, and so is one that does not say how long it is. */
const maxBodyBytes = 64 * 1024

const isShortMessage = (exchange: Exchange, limit: number): boolean => {
  const { headers, method } = exchange.request
  const length = Number(headers["content-length"] ?? Number.NaN)
  if (method !== "POST" || !(length > 0 && length <= maxBodyBytes) || headers["transfer-encoding"] !== undefined) {
    return false
  }
  const expected = expectsBody(exchange.request, limit)
  return Result.isSuccess(expected) && expected.success._tag === "Message"
}

/** The same request once more: with the body that was read, and the trace id that it went under. */
const again = (request: Request, body: Uint8Array<ArrayBuffer>, traceHeader: string, traceId: string): Request => {
  request.headers.set(traceHeader, traceId)
  const stream = new ReadableStream({
    start: (controller) => {
      controller.enqueue(body)
      controller.close()
    }
  })
  return Object.defineProperties(request, { body: { value: stream }, bodyUsed: { value: false } })
}

const makeLog = (settings: GatewaySettings) => {
  const logsAll = settings.logLevel === "trace" || settings.logLevel === "debug" || settings.logLevel === "info"
  return async (exchange: Exchange): Promise<void> => {
    if (!logsAll && (exchange.status ?? 0) < 500) return
    await Effect.runPromise(
      Effect.flatMap(makeAccessLog, (log) => log(exchange, undefined)).pipe(
        Effect.provide([Digest.layerWebCrypto, layerLogging(settings)])
      )
    )
  }
}

/**
 * Builds the direct way of a request: a short message of a caller whose token the store knows, answered shortly.
 *
 * Nearly every call of a tool is that, and an instance is made for each: on this way nothing is built that it does not
 * need, layers above all. Its steps are those of `HttpApp`, by the same functions; where one of them says anything but
 * yes, or an answer needs more than its fields changed, the request goes on to `HttpApp` as if it had not been here.
 *
 * @param knownIdentity whom a token stands for that was verified before; `undefined`: only `HttpApp` can say
 */
export const makeDirectAnswer = (
  { fetch }: Pick<Host, "fetch">,
  settings: GatewaySettings,
  knownIdentity: (token: string, now: number) => Promise<Identity | undefined>
) => {
  const receive = makeReceive(settings, makeRoute(settings.path, settings.publicUrl))
  const log = makeLog(settings)
  const clock = Context.get(Context.empty(), Clock.Clock)
  const prepare = makePrepare(settings, () => clock.currentTimeMillisUnsafe())
  const { origin } = new URL(settings.gatewayUrl)

  return async (request: Request): Promise<Response | Remainder> => {
    const untouched: Remainder = { request, fetch: fetch }
    const exchange = begin(settings, HttpServerRequest.fromWeb(request), clock.currentTimeNanosUnsafe())
    const route = receive(exchange)
    if (Result.isFailure(route) || route.success._tag !== "Mcp") return untouched
    if (!isShortMessage(exchange, settings.maxBodyBytes)) return untouched
    // A seal is for the layers.
    if (settings.bindSessions && exchange.request.headers[sessionField] !== undefined) return untouched
    const token = credentialOf(settings, exchange, route.success.query)
    if (Result.isFailure(token) || token.success instanceof Admission) return untouched
    const identity = await knownIdentity(token.success, clock.currentTimeMillisUnsafe())
    if (identity === undefined) return untouched
    const admission = admitted(settings, exchange, identity)
    if (Result.isFailure(admission)) return untouched

    const body = await collected(request)
    if (body === undefined) return untouched
    const remainder = (given: typeof globalThis.fetch): Remainder => ({
      request: again(request, body, settings.traceHeader, exchange.traceId),
      fetch: given
    })
    const { headers, method } = exchange.request
    const { query, rest } = route.success
    const { traceId, trustedPeer } = exchange
    const session = settings.bindSessions ? { identity, id: undefined, sealed: undefined } : undefined
    const prepared = prepare.whole(
      { admission: admission.success, method, rest, query, headers, traceId, trustedPeer, session },
      body
    )
    if (Result.isFailure(prepared)) return remainder(fetch)
    const { addition, injection } = prepared.success
    if (addition !== undefined || injection !== undefined) return remainder(fetch)
    const outgoing = toClientRequest(origin, prepared.success.request)
    if (outgoing === undefined) return remainder(fetch)

    const sent = send(fetch, outgoing, prepared.success.request.body, settings.upstreamTimeoutMillis)
    const response = await sent.response.catch(() => undefined)
    if (response === undefined) return remainder(sent.replay)
    const received = fieldsOf(response.headers)
    const { status } = response
    const begins = settings.bindSessions && received[sessionField] !== undefined
    if (
      begins || !isPlain(status, received) ||
      refuseAnswer({ status, headers: received }, settings, identity) !== undefined
    ) {
      return remainder(sent.replay)
    }
    const answer = await inTime(response.arrayBuffer(), settings.upstreamTimeoutMillis).then(
      Result.succeed,
      (reason: unknown) => Result.fail(reason)
    )
    if (Result.isFailure(answer)) return remainder(sent.failing(answer.failure))

    exchange.status = status
    await log(exchange)
    const fields = new Headers(commonHeaders(settings, exchange, received["vary"]))
    for (const [name, value] of Object.entries(responseHeaders(received))) {
      if (typeof value === "string" && !fields.has(name)) fields.set(name, value)
    }
    return new Response(answer.success.byteLength === 0 ? null : answer.success, { status, headers: fields })
  }
}
