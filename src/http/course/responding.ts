/** The last part of the course: from the MCP server's response to the client. Pure. */
import * as Result from "effect/Result"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { PayloadTooLarge } from "../../errors/GatewayError.ts"
import type { ResponseHead } from "../../forward/GatewayClient.ts"
import { injectable, responseTooLarge } from "../../forward/injection.ts"
import { type Injection, measuredOperationOf, type Prepared, type PreparedStream } from "../../forward/prepare.ts"
import { isRedirect, logRespelled } from "../../forward/redirect.ts"
import { rejectResponse } from "../../forward/rejectResponse.ts"
import { responseHeaders } from "../../forward/responseHeaders.ts"
import { responseLife } from "../../forward/responseLife.ts"
import { type BoundSession, sealedAgain, sessionField } from "../../forward/SessionSeal.ts"
import { logStrict, RejectionReader } from "../../forward/strictServer.ts"
import { WholeFilter } from "../../message/BodyFilter.ts"
import { makeInitializeFramer } from "../../message/initializeEvents.ts"
import { injectAuthInfo } from "../../message/initializeResponse.ts"
import { commonHeaders } from "../decorate.ts"
import type { Exchange } from "../Exchange.ts"
import { chainChanges } from "./bodyChange.ts"
import { makeListing } from "./listing.ts"
import type { Measure } from "./measuring.ts"
import type { OwnResponses } from "./ownResponses.ts"
import type { BodyChange, HeadStep, Sending } from "./steps.ts"

/** Returns the change that adds to the result of `initialize`, given the head of the response. */
const changeOf = (head: ResponseHead, { authInfo, id, limit }: Injection): BodyChange | undefined => {
  switch (injectable(head)) {
    case "Message":
      return {
        filter: new WholeFilter((bytes) => injectAuthInfo(bytes, authInfo, id)),
        faulty: responseTooLarge,
        whole: { limit, tooLarge: responseTooLarge }
      }
    case "Events":
      return {
        filter: makeInitializeFramer({ authInfo, id, maxEventBytes: limit }),
        faulty: responseTooLarge,
        whole: undefined
      }
    case "Neither":
      return undefined
  }
}

const nothingListed = Result.succeed(undefined)

/** The properties of a request that matter for its response. */
interface Expected {
  readonly injection: Injection | undefined
  /** The request opened a stream of notifications, which does not end by itself. */
  readonly listens: boolean
}

/**
 * Builds the last part of the course.
 *
 * First, the request is sent a second time if the configured URL redirects to the same URL with or without a slash, or
 * if the server rejects the additions to `initialize`. Then the course rejects responses that must not be forwarded,
 * and handles the session id, lists in the body, the fields, and the time that the response may take.
 *
 * @param nowMillis returns the time of day
 * @param measure measures requests; `undefined` if requests are not measured
 */
export const makeResponding = (
  settings: GatewaySettings,
  responses: OwnResponses,
  nowMillis: () => number,
  measure?: Measure
) => {
  const listing = makeListing(settings, nowMillis)

  const relay = (
    exchange: Exchange,
    head: ResponseHead,
    hasBody: boolean,
    { injection, listens }: Expected,
    session: string | undefined
  ): HeadStep => {
    const { headers, status } = head
    const injected = hasBody && injection !== undefined ? changeOf(head, injection) : undefined
    const listed = hasBody && listing !== undefined ? listing(exchange, head) : nothingListed
    if (Result.isFailure(listed)) return responses.reject(exchange, listed.failure)
    const change = chainChanges(injected, listed.success)
    const fields = responseHeaders(headers)
    if (session !== undefined) fields[sessionField] = session
    exchange.session = fields[sessionField]
    if (change !== undefined) delete fields["content-length"]
    const { vary } = headers
    Object.assign(fields, commonHeaders(settings, exchange, typeof vary === "string" ? vary : vary?.join(", ")))
    exchange.status = status
    if (hasBody) measure?.relayed(exchange, headers["content-type"])
    return {
      _tag: "Relay",
      status,
      headers: fields,
      change,
      life: () =>
        responseLife(settings, exchange.identity, {
          listens,
          nowMillis: nowMillis(),
          type: headers["content-type"]
        })
    }
  }

  const forwardResponse = (
    exchange: Exchange,
    session: BoundSession | undefined,
    head: ResponseHead,
    hasBody: boolean,
    expected: Expected
  ): HeadStep => {
    const rejected = rejectResponse(head, settings, exchange.identity)
    if (rejected !== undefined) return responses.reject(exchange, rejected)
    const field = head.headers[sessionField]
    if (session === undefined || field === undefined) return relay(exchange, head, hasBody, expected, undefined)
    const id = typeof field === "string" ? field : field.join(", ")
    const again = sealedAgain(session, id)
    return again !== undefined ? relay(exchange, head, hasBody, expected, again) : {
      _tag: "SealSession",
      identity: session.identity,
      id,
      sealed: (sealed) => relay(exchange, head, hasBody, expected, sealed)
    }
  }

  return {
    whole: (
      exchange: Exchange,
      session: BoundSession | undefined,
      { addition, injection, listens, request, respelled }: Prepared
    ): Sending => {
      let hasFollowed = false
      let isWithout = false
      const arrived = measure?.sent()
      return {
        request,
        message: undefined,
        rejected: (error) => responses.reject(exchange, error),
        head: (head, hasBody) => {
          arrived?.()
          if (isRedirect(head.status) && !hasFollowed && !isWithout) {
            // Followed only once: a server that redirects each spelling to the other would cause a loop.
            hasFollowed = true
            const again = respelled(head)
            if (again !== undefined) {
              return { _tag: "Notify", log: logRespelled(head), next: { _tag: "Resend", request: again } }
            }
          }
          const taken = (): HeadStep => {
            const next = forwardResponse(
              exchange,
              session,
              head,
              hasBody,
              isWithout ? { injection: undefined, listens } : {
                injection,
                listens
              }
            )
            if (addition === undefined || !isWithout) return next
            addition.learn()
            return { _tag: "Notify", log: logStrict, next }
          }
          const reader = addition === undefined ? undefined : RejectionReader.make(head)
          if (addition === undefined || reader === undefined) return taken()
          return {
            _tag: "Inspect",
            reader,
            read: (isRejected) => {
              if (!isRejected) return taken()
              if (isWithout) return forwardResponse(exchange, session, head, hasBody, { injection: undefined, listens })
              isWithout = true
              return { _tag: "Resend", request: addition.without() }
            }
          }
        }
      }
    },
    /** For a message that is forwarded while it arrives. Its response may begin before the message ends. */
    streamed: (
      exchange: Exchange,
      session: BoundSession | undefined,
      { complete, request, respelled, rewriter }: PreparedStream
    ): Sending => {
      // Used until the message is complete: the response to an incomplete message has no time limit of its own.
      let expected: Expected = { injection: undefined, listens: true }
      const limit = settings.maxBodyBytes
      const arrived = measure?.sent()
      return {
        request,
        message: {
          limit,
          rewriter,
          complete: (message) => {
            const completed = complete(message)
            if (Result.isFailure(completed)) return completed.failure
            expected = { injection: completed.success, listens: message.listens }
            exchange.measured = measuredOperationOf(message)
            return undefined
          },
          tooLarge: new PayloadTooLarge({ limit })
        },
        rejected: (error) => responses.reject(exchange, error),
        head: (head, hasBody) => {
          arrived?.()
          const isRespelled = isRedirect(head.status) && respelled(head) !== undefined
          const next = forwardResponse(exchange, session, head, hasBody, expected)
          // The part of the message that is already sent cannot be sent again, so the log entry helps only with later
          // messages.
          return isRespelled ? { _tag: "Notify", log: logRespelled(head), next } : next
        }
      }
    }
  }
}
