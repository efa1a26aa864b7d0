/** The second part of the course: from the admission of a request to its response. Pure. */
import * as Result from "effect/Result"
import type { Admission } from "../../authorize/Admission.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { type GatewayError, PayloadTooLarge } from "../../errors/GatewayError.ts"
import type { Owner } from "../../fairness/FairQueue.ts"
import { type AdmittedRequest, makePrepare } from "../../forward/prepare.ts"
import type { BoundSession } from "../../forward/SessionSeal.ts"
import { ownerOf } from "../asker.ts"
import type { Exchange } from "../Exchange.ts"
import { expectsBody } from "../expectsBody.ts"
import { requireMethod } from "../methods.ts"
import { mirroredFields } from "../mirroredFields.ts"
import type { Route } from "../route.ts"
import { makeOpenSession } from "./openSession.ts"
import type { OwnResponses } from "./ownResponses.ts"
import { makeResponding } from "./responding.ts"
import type { Next, Sending } from "./steps.ts"

/**
 * Builds the second part of the course.
 *
 * Its steps: method, session, body, and the rules for what is sent (`prepare`); `responding.ts` has those for the response.
 *
 * @param nowMillis the time of day
 */
export const makeForwarding = (settings: GatewaySettings, responses: OwnResponses, nowMillis: () => number) => {
  const { reject } = responses
  const { maxBodyBytes } = settings
  const prepare = makePrepare(settings, nowMillis)
  const openSession = makeOpenSession(settings, responses)
  const responding = makeResponding(settings, responses, nowMillis)

  const send = (exchange: Exchange, admitted: AdmittedRequest, body: Uint8Array | undefined): Next<Sending> => {
    const prepared = prepare.whole(admitted, body)
    if (Result.isFailure(prepared)) return reject(exchange, prepared.failure)
    exchange.wasSent = true
    return { _tag: "Ready", value: responding.whole(exchange, admitted.session, prepared.success) }
  }

  const receiveBody = (exchange: Exchange, admitted: AdmittedRequest, owner: Owner): Next<Sending> => {
    const expected = expectsBody(exchange.request, maxBodyBytes)
    if (Result.isFailure(expected)) return reject(exchange, expected.failure)
    const body = expected.success
    if (body._tag === "None") return send(exchange, admitted, undefined)
    const rejected = (error: GatewayError) => reject(exchange, error)
    if (body._tag === "NoContent") {
      const refuse = () => rejected(body.rejected)
      return {
        _tag: "ReadBody",
        limit: 0,
        owner,
        whole: ({ length }) => length === 0 ? send(exchange, admitted, undefined) : refuse(),
        streamed: refuse,
        tooLarge: refuse,
        rejected
      }
    }
    return {
      _tag: "ReadBody",
      limit: maxBodyBytes,
      owner,
      whole: (bytes) => send(exchange, admitted, body.mayBeEmpty && bytes.length === 0 ? undefined : bytes),
      streamed: () => {
        exchange.wasSent = true
        return {
          _tag: "Ready",
          value: responding.streamed(exchange, admitted.session, prepare.streamed(admitted))
        }
      },
      tooLarge: () => rejected(new PayloadTooLarge({ limit: maxBodyBytes })),
      rejected
    }
  }

  return (exchange: Exchange, admission: Admission, { query, rest, row }: Route): Next<Sending> => {
    const { request: { headers, method }, traceId, trustedPeer } = exchange
    const allowed = requireMethod(row.methods, method)
    if (Result.isFailure(allowed)) return reject(exchange, allowed.failure)
    return openSession(exchange, admission, (session: BoundSession | undefined) => {
      const owner = ownerOf(settings.trustedProxies, exchange, admission.identity)
      return receiveBody(exchange, {
        admission,
        method,
        rest,
        query,
        headers,
        traceId,
        trustedPeer,
        mirrored: mirroredFields(exchange),
        session,
        owner
      }, owner)
    })
  }
}
