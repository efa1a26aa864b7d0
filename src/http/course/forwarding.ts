/** The second part of the course: from the admission of a request to its response. Pure. */
import * as Result from "effect/Result"
import type { Admission } from "../../authorize/Admission.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { type GatewayError, type MissingCredential, PayloadTooLarge } from "../../errors/GatewayError.ts"
import type { Owner } from "../../fairness/FairQueue.ts"
import { type AdmittedRequest, makePrepare } from "../../forward/prepare.ts"
import type { BoundSession } from "../../forward/SessionSeal.ts"
import { streamWithFields, withFields } from "../../forward/withFields.ts"
import type { UpstreamAuthorizer } from "../../upstream/UpstreamAuthorizer.ts"
import type { Exchange } from "../Exchange.ts"
import { expectsBody } from "../expectsBody.ts"
import { requireMethod } from "../methods.ts"
import { mirroredFields } from "../mirroredFields.ts"
import { ownerOf } from "../requester.ts"
import type { Route } from "../route.ts"
import { makeAuthorizing } from "./authorizing.ts"
import { makeDeciding } from "./deciding.ts"
import { makeLimiting } from "./limiting.ts"
import type { Measure } from "./measuring.ts"
import { makeMethodWithoutToken, missingCredential } from "./methodWithoutToken.ts"
import { noteOperations } from "./noteOperations.ts"
import { makeOpenSession } from "./openSession.ts"
import type { OwnResponses } from "./ownResponses.ts"
import { makeResponding } from "./responding.ts"
import { makeRuling } from "./ruling.ts"
import type { Next, Sending } from "./steps.ts"

/** A request that the rules have not decided about yet. Without a token, only the rules can admit it. */
type PendingRequest = AdmittedRequest | (Omit<AdmittedRequest, "admission"> & { readonly admission: undefined })

/** Returns the admission of a request that no rules apply to; fails if there is none. */
const admissionOf = (admission: Admission | undefined): Result.Result<Admission, MissingCredential> =>
  admission === undefined ? Result.fail(missingCredential()) : Result.succeed(admission)

/**
 * Builds the second part of the course.
 *
 * Its steps: method, session, body, what to send and whether the fields agree with it (`prepare`), the operator's rules
 * (`ruling.ts`), rate limits (`limiting.ts`), and the fields that the MCP server trusts (`authorizing.ts`). The steps
 * for the response are in `responding.ts`.
 *
 * @param nowMillis returns the time of day
 * @param audits whether operations are recorded
 * @param measure measures requests; `undefined` if requests are not measured
 * @param peekUpstream `UpstreamAuthorizer.peek`; `undefined` if fields are not cached
 */
export const makeForwarding = (
  settings: GatewaySettings,
  responses: OwnResponses,
  nowMillis: () => number,
  audits: boolean,
  measure?: Measure,
  peekUpstream?: UpstreamAuthorizer["peek"]
) => {
  const { reject, rejectMessage } = responses
  const { maxBodyBytes, policy } = settings
  const ruling = policy === undefined ? undefined : makeRuling(settings, policy, nowMillis)
  const isMethodWithoutToken = makeMethodWithoutToken(policy)
  const prepare = makePrepare(settings, nowMillis, measure !== undefined)
  const openSession = makeOpenSession(settings, responses)
  const limiting = makeLimiting(settings, responses)
  const authorizing = makeAuthorizing(settings, responses, peekUpstream)
  const responding = makeResponding(settings, responses, nowMillis, measure)
  const deciding = makeDeciding(settings, responses, limiting, authorizing, nowMillis)

  const send = (exchange: Exchange, pending: PendingRequest, body: Uint8Array | undefined): Next<Sending> => {
    // The fields must agree with the message, because the rules decide about the message. Without a token, clients
    // learn only that a token is required.
    const known = pending.admission === undefined ? undefined : prepare.whole(pending, body)
    if (known !== undefined && Result.isFailure(known)) {
      if (audits && body !== undefined) noteOperations(exchange, body)
      return reject(exchange, known.failure)
    }
    const ruled = ruling === undefined || body === undefined
      ? admissionOf(pending.admission)
      : ruling.body(exchange, pending.admission, body)
    if (Result.isFailure(ruled)) return rejectMessage(exchange, ruled.failure, body)
    const unreadable = audits && body !== undefined ? noteOperations(exchange, body) : undefined
    if (unreadable !== undefined) return reject(exchange, unreadable)
    // An unreadable body is no error here: the span is then named without its operation.
    if (body !== undefined && exchange.trace?.span.sampled === true) noteOperations(exchange, body)
    const prepared = known ?? prepare.whole({ ...pending, admission: ruled.success }, body)
    if (Result.isFailure(prepared)) return reject(exchange, prepared.failure)
    exchange.measured = prepared.success.measured
    const { identity } = ruled.success
    return limiting.count(exchange, identity, body, () =>
      authorizing(exchange, identity, (fields) => {
        exchange.wasSent = true
        const authorized = withFields(prepared.success, fields)
        return { _tag: "Ready", value: responding.whole(exchange, pending.session, authorized) }
      }))
  }

  const receiveBody = (exchange: Exchange, pending: PendingRequest, owner: Owner): Next<Sending> => {
    // Without a token, clients learn only that a token is required, unless the gateway is out of memory for bodies.
    const rejected = (error: GatewayError) =>
      reject(exchange, pending.admission !== undefined || error._tag === "Overloaded" ? error : missingCredential())
    const expected = expectsBody(exchange.request, maxBodyBytes)
    if (Result.isFailure(expected)) return rejected(expected.failure)
    const body = expected.success
    if (body._tag === "None") return send(exchange, pending, undefined)
    if (body._tag === "NoContent") {
      const reject = () => rejected(body.rejected)
      return {
        _tag: "ReadBody",
        limit: 0,
        owner,
        whole: ({ length }) => length === 0 ? send(exchange, pending, undefined) : reject(),
        streamed: undefined,
        tooLarge: reject,
        rejected
      }
    }
    return {
      _tag: "ReadBody",
      limit: maxBodyBytes,
      owner,
      whole: (bytes) => send(exchange, pending, body.mayBeEmpty && bytes.length === 0 ? undefined : bytes),
      // Rules, limits and the audit log need whole messages, so the body is not streamed.
      streamed: pending.admission === undefined || ruling !== undefined || limiting.readsMessages || audits ?
        undefined :
        () =>
          authorizing(exchange, pending.admission.identity, (fields) => {
            exchange.wasSent = true
            const prepared = streamWithFields(prepare.streamed(pending), fields)
            return { _tag: "Ready", value: responding.streamed(exchange, pending.session, prepared) }
          }),
      tooLarge: () => rejected(new PayloadTooLarge({ limit: maxBodyBytes })),
      rejected
    }
  }

  return (exchange: Exchange, admission: Admission | undefined, { query, rest, row }: Route): Next<Sending> => {
    const { request: { headers, method }, traceId, trustedPeer } = exchange
    if (admission === undefined) {
      const usable = isMethodWithoutToken(method)
      if (Result.isFailure(usable)) return reject(exchange, usable.failure)
    }
    const allowed = requireMethod(row.methods, method)
    if (Result.isFailure(allowed)) return reject(exchange, allowed.failure)
    if (exchange.subrequest !== undefined) return deciding(exchange, admission)
    return openSession(exchange, admission, (session: BoundSession | undefined) => {
      const owner = ownerOf(settings.trustedProxies, exchange, admission?.identity)
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
