import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { AuditLog } from "../audit/AuditLog.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { layerLogging, minimumLevel } from "../config/kinds/logging.ts"
import { toClientRequest } from "../forward/toClientRequest.ts"
import { clientClosedRequest, isLogged, makeAccessLog } from "../http/accessLog.ts"
import { makeAudit, withAudit } from "../http/audit.ts"
import { makeArrival } from "../http/course/arrival.ts"
import { makeForwarding } from "../http/course/forwarding.ts"
import { makeOwnResponses } from "../http/course/ownResponses.ts"
import type { Sending } from "../http/course/steps.ts"
import { begin, type Exchange } from "../http/Exchange.ts"
import type { RequestHead } from "../http/requestHead.ts"
import { makeRoute } from "../http/route.ts"
import type { Identity } from "../identity/Identity.ts"
import { collected, fieldsOf, inTime, isPlain, send } from "./directFetch.ts"
import type { Host } from "./Host.ts"
import { serverRequest } from "./peerAddress.ts"

/** What `HttpApp` needs for a request without a direct response. */
export interface Remainder {
  /** The request, with its body unread or readable again. */
  readonly request: Request
  /** Returns what the MCP server has already sent, so that it gets the request only once. */
  readonly fetch: typeof globalThis.fetch
}

/** Longer messages, and messages without a length, are left to `HttpApp`. */
const maxBodyBytes = 64 * 1024

const isShort = ({ headers, method }: RequestHead): boolean => {
  const length = Number(headers["content-length"] ?? Number.NaN)
  return method === "POST" && length > 0 && length <= maxBodyBytes && headers["transfer-encoding"] === undefined
}

/** Builds the same request again: with the body that was read, and its trace id. */
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

const mac = Layer.provide(Mac.layerWebCrypto, SecureRandom.layerWebCrypto)

/** As `readSettings` has configured it: to the console, if there is an audit log. */
const audit = (settings: GatewaySettings) =>
  Layer.orDie(Layer.provide(AuditLog.layerConsole, Layer.succeed(GatewayConfig, settings)))

const makeLog = (settings: GatewaySettings) => async (exchange: Exchange): Promise<void> => {
  if (settings.auditLog === undefined && !isLogged(minimumLevel(settings), exchange)) return
  await Effect.runPromise(
    Effect.gen(function*() {
      const log = withAudit(yield* makeAccessLog(settings), yield* makeAudit(settings, clientClosedRequest))
      yield* log(exchange, undefined)
    }).pipe(
      Effect.provide([Digest.layerWebCrypto, mac, layerLogging(settings), audit(settings)])
    )
  )
}

/** A request that is ready to be sent, or not. */
interface Prepared {
  readonly sending: Sending
  readonly body: Uint8Array<ArrayBuffer> | undefined
}

/**
 * Builds the direct path of a request: a short message of a caller whose token the store has, with a short response.
 *
 * Nearly every tool call is of this kind, and each gets its own instance. This path builds nothing that it does not need,
 * and no layers in particular. It is a driver of the same course as `HttpApp`. If the course does anything but proceed,
 * or if a response needs more than changed fields, the request goes to `HttpApp` as if it were new.
 *
 * @param knownIdentity the identity of a token that was verified before; `undefined`: only `HttpApp` can verify it
 */
export const makeDirectResponse = (
  { fetch }: Pick<Host, "fetch">,
  settings: GatewaySettings,
  knownIdentity: (token: string, now: number) => Promise<Identity | undefined>
) => {
  const clock = Context.get(Context.empty(), Clock.Clock)
  const nowMillis = () => clock.currentTimeMillisUnsafe()
  const responses = makeOwnResponses(settings)
  const arrive = makeArrival(settings, responses, makeRoute(settings), undefined)
  const forwarding = makeForwarding(settings, responses, nowMillis, settings.auditLog !== undefined)
  const log = makeLog(settings)
  const { origin } = new URL(settings.gatewayUrl)

  /** Carries out the steps until there is a request to send. Otherwise returns the body that was read. */
  const prepare = async (
    exchange: Exchange,
    request: Request
  ): Promise<Prepared | Uint8Array<ArrayBuffer> | undefined> => {
    let next = arrive(exchange, forwarding)
    let body: Uint8Array<ArrayBuffer> | undefined
    while (true) {
      switch (next._tag) {
        case "Verify": {
          const identity = await knownIdentity(next.credential, nowMillis())
          if (identity === undefined) return body
          next = next.verified(identity)
          break
        }
        case "ReadBody":
          body = await collected(request)
          if (body === undefined) return undefined
          next = next.whole(body)
          break
        case "Ready":
          return { sending: next.value, body }
        // Left to `HttpApp`, which rejects the request again, with everything that these responses need.
        case "Respond":
        case "OpenSession":
        case "CountMessages":
        case "AuthorizeUpstream":
        case "Document":
        case "Readiness":
        case "Facade":
          return body
        default:
          return next satisfies never
      }
    }
  }

  return async (request: Request): Promise<Response | Remainder> => {
    const head = serverRequest(request)
    if (!isShort(head)) return { request, fetch }
    const exchange = begin(settings, head, clock.currentTimeNanosUnsafe())
    const prepared = await prepare(exchange, request)
    if (prepared === undefined) return { request, fetch }
    const body = prepared instanceof Uint8Array ? prepared : prepared.body
    const remainder = (given: typeof globalThis.fetch): Remainder => ({
      request: body === undefined ? request : again(request, body, settings.traceHeader, exchange.traceId),
      fetch: given
    })
    if (prepared instanceof Uint8Array) return remainder(fetch)
    const { sending } = prepared
    const outgoing = toClientRequest(origin, sending.request)
    if (outgoing === undefined) return remainder(fetch)

    const sent = send(fetch, outgoing, sending.request.body, settings.upstreamTimeoutMillis)
    const response = await sent.response.catch(() => undefined)
    if (response === undefined) return remainder(sent.replay)
    const headers = fieldsOf(response.headers)
    const { status } = response
    if (!isPlain(status, headers)) return remainder(sent.replay)
    const step = sending.head({ status, headers }, true)
    if (step._tag !== "Relay" || step.change !== undefined) return remainder(sent.replay)
    const collected = await inTime(response.arrayBuffer(), settings.upstreamTimeoutMillis).then(
      Result.succeed,
      (reason: unknown) => Result.fail(reason)
    )
    if (Result.isFailure(collected)) return remainder(sent.failing(collected.failure))

    await log(exchange)
    const fields = new Headers()
    for (const [name, value] of Object.entries(step.headers)) fields.set(name, String(value))
    return new Response(collected.success.byteLength === 0 ? null : collected.success, { status, headers: fields })
  }
}
