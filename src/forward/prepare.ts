/** Prepares admitted requests for forwarding. Pure. */
import * as Result from "effect/Result"
import type { Admission } from "../authorize/Admission.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { upstreamField } from "../config/UpstreamAuth.ts"
import type { Owner } from "../fairness/FairQueue.ts"
import { fieldName } from "../identity/untrustedFields.ts"
import { authContext } from "../message/authContext.ts"
import type { RequestId } from "../message/json/scalarValue.ts"
import { type Disagreement, disagreement, type MirroredFields } from "../message/mirrors.ts"
import { rewriteRequest } from "../message/requestMessage.ts"
import { RequestRewriter } from "../message/requestRewriter.ts"
import type { MeasuredMethod, RequestRules, RequestSummary } from "../message/requestRules.ts"
import { makeCallerFields } from "./callerFields.ts"
import type { UpstreamRequest, UpstreamResponse } from "./GatewayClient.ts"
import { requestHeaders } from "./requestHeaders.ts"
import { ServerPath } from "./ServerPath.ts"
import { type BoundSession, sessionField } from "./SessionSeal.ts"
import { isEarlyClient, StrictServer } from "./strictServer.ts"

/** An admitted request, as far as forwarding needs it. */
export interface AdmittedRequest {
  readonly admission: Admission
  readonly method: string
  /** The part of the path after the MCP path. */
  readonly rest: string
  readonly query: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly traceId: string
  readonly trustedPeer: boolean
  /** The fields that repeat parts of the message. */
  readonly mirrored: MirroredFields
  /** The session of the caller; `undefined` if sessions are not bound. */
  readonly session: BoundSession | undefined
  /** The owner whose share of the MCP server the request uses, if known. */
  readonly owner?: Owner | undefined
}

/** The addition to the response to `initialize`. */
export interface Injection {
  readonly authInfo: Uint8Array
  readonly id: RequestId
  /** The longest response that is inspected, in bytes. */
  readonly limit: number
}

/** Handles a response that redirects the configured URL to the same URL with or without a slash at its end. */
type Learn<A> = (response: Pick<UpstreamResponse, "headers" | "status">) => A

/** An addition to `initialize` that the MCP server may reject. */
export interface Addition {
  /** The same request without the addition. */
  readonly without: () => UpstreamRequest
  /** Remembers that the server accepts only the request without the addition. */
  readonly learn: () => void
}

/** A request that is ready to be sent, and how to handle its response. */
export interface Prepared {
  readonly request: UpstreamRequest
  readonly injection: Injection | undefined
  /** Whether it opens a stream of notifications that does not end by itself. */
  readonly listens: boolean
  /** The operation of the message, if requests are measured. */
  readonly measured: MeasuredOperation | undefined
  /** What to do if the addition is rejected; `undefined` without an addition, or if the addition is unconditional. */
  readonly addition: Addition | undefined
  /** Returns the request to send once more, after a redirect; `undefined` if the response is to be used. */
  readonly respelled: Learn<UpstreamRequest | undefined>
}

/** The operation of a body, with the names of tools that the caller has sent. */
export interface MeasuredOperation extends MeasuredMethod {
  readonly tools: ReadonlyArray<string>
}

/** Returns the operation of a body; `undefined` if requests are not measured. */
export const measuredOperationOf = ({ measured, tools }: RequestSummary): MeasuredOperation | undefined =>
  measured === undefined ? undefined : { ...measured, tools }

/** A request whose message is forwarded while it arrives. */
export interface PreparedStream {
  /** The request without the message. */
  readonly request: UpstreamRequest
  readonly rewriter: RequestRewriter
  /**
   * Called when the message has ended. Returns the addition to the response; fails if the fields of the request do not
   * agree with the message.
   */
  readonly complete: (message: RequestSummary) => Result.Result<Injection | undefined, Disagreement>
  /** Returns the target for the next request, after a redirect; this request cannot be sent again. */
  readonly respelled: Learn<string | undefined>
}

/** Prepares requests: applies body rules and header rules, and adds the identity. */
export interface Prepare {
  /**
   * Prepares a request with its JSON body; `undefined` for a request without one.
   *
   * Fails with `InvalidRequest` when the body is not one unambiguous JSON-RPC message, and where the fields of the request
   * do not agree with it.
   */
  readonly whole: (
    admitted: AdmittedRequest,
    body: Uint8Array | undefined
  ) => Result.Result<Prepared, Disagreement>
  /** Prepares a request whose body is too long to be collected. */
  readonly streamed: (admitted: AdmittedRequest) => PreparedStream
}

/**
 * Builds the preparation of requests.
 *
 * @param nowMillis returns the time of day
 * @param measures whether requests are measured
 */
export const makePrepare = (settings: GatewaySettings, nowMillis: () => number, measures = false): Prepare => {
  const strict = new StrictServer(nowMillis)
  const server = new ServerPath(settings.gatewayUrl)

  const credential = upstreamField(settings.upstreamAuth)
  const ownedFields = new Set([
    ...settings.forwardClaims.map(({ field }) => field),
    ...(credential === undefined ? [] : [fieldName(credential).folded])
  ])
  const callerFields = makeCallerFields(settings)

  const adds = (setting: "auto" | boolean): boolean => setting === "auto" ? !strict.isStrict : setting

  const rulesFor = ({ admission: { identity }, mirrored }: AdmittedRequest): RequestRules => ({
    mirrored,
    authContext: identity === undefined || !adds(settings.injectRequestContext)
      ? undefined
      : () => authContext(identity),
    ignoreTools: !measures,
    namesMethod: measures
  })

  const injectionFor = (
    { identity }: Admission,
    id: RequestId | undefined,
    initialize?: Uint8Array
  ): Injection | undefined =>
    identity === undefined || id === undefined || !adds(settings.injectResponseContext) ||
      (settings.injectResponseContext === "auto" && initialize !== undefined && isEarlyClient(initialize))
      ? undefined
      : { authInfo: authContext(identity), id, limit: settings.maxBodyBytes }

  const leaving = (admitted: AdmittedRequest, body: Uint8Array | undefined, injects: boolean): UpstreamRequest => {
    const { identity } = admitted.admission
    const own: Record<string, string> = { [settings.traceHeader]: admitted.traceId }
    if (identity !== undefined) Object.assign(own, callerFields(identity))
    if (admitted.session?.id !== undefined) own[sessionField] = admitted.session.id
    // An encoded response could be neither changed nor inspected.
    if (injects || settings.policy !== undefined) own["accept-encoding"] = "identity"
    return {
      method: admitted.method,
      target: server.target(admitted.rest, admitted.query),
      headers: requestHeaders(admitted.headers, {
        trustedPeer: admitted.trustedPeer,
        // Only the verified token is forwarded, so not if it came in another field.
        forwardAuthorization: settings.forwardAuthorization && settings.tokenHeader === "authorization",
        bindsSession: admitted.session !== undefined,
        ownedFields,
        own
      }),
      body,
      identity,
      owner: admitted.owner
    }
  }

  const learning =
    ({ rest, query }: AdmittedRequest, { target }: UpstreamRequest): Learn<string | undefined> => (head) =>
      server.learns(rest, target, head) ? server.target(rest, query) : undefined

  const ready = (
    admitted: AdmittedRequest,
    request: UpstreamRequest,
    { addition, measured, injection, listens }: Pick<Prepared, "addition" | "measured" | "injection" | "listens">
  ): Prepared => ({
    request,
    addition,
    measured,
    injection,
    listens,
    respelled: (head) => {
      const target = learning(admitted, request)(head)
      return target === undefined ? undefined : { ...request, target }
    }
  })

  const plain: RequestRules = { authContext: undefined, ignoreTools: true }

  /** @param body an `initialize` that has passed the checks */
  const additionTo = (admitted: AdmittedRequest, body: Uint8Array): Addition | undefined =>
    settings.injectRequestContext !== "auto" || strict.isStrict || admitted.admission.identity === undefined
      ? undefined
      : {
        without: () =>
          leaving(admitted, Result.getOrThrow(Result.map(rewriteRequest(body, plain), ({ bytes }) => bytes)), true),
        learn: () => strict.learn()
      }

  return {
    whole: (admitted, body) => {
      const { admission } = admitted
      if (body === undefined) {
        const listens = admitted.method === "GET"
        return Result.succeed(ready(admitted, leaving(admitted, undefined, false), {
          addition: undefined,
          measured: undefined,
          injection: undefined,
          listens
        }))
      }
      const message = rewriteRequest(body, rulesFor(admitted))
      if (Result.isFailure(message)) return Result.fail(message.failure)
      const mismatch = disagreement(admitted.mirrored, message.success.content)
      if (mismatch !== undefined) return Result.fail(mismatch)
      const { bytes, initializeId, listens } = message.success
      const injection = injectionFor(admission, initializeId, body)
      const addition = initializeId === undefined ? undefined : additionTo(admitted, body)
      const looksInto = injection !== undefined || addition !== undefined
      return Result.succeed(ready(admitted, leaving(admitted, bytes, looksInto), {
        addition,
        measured: measuredOperationOf(message.success),
        injection,
        listens
      }))
    },
    streamed: (admitted) => {
      // The message may be an `initialize`.
      const request = leaving(admitted, undefined, adds(settings.injectResponseContext))
      return {
        request,
        rewriter: new RequestRewriter(rulesFor(admitted)),
        complete: ({ initializeId, content }) => {
          const mismatch = disagreement(admitted.mirrored, content)
          return mismatch === undefined
            ? Result.succeed(injectionFor(admitted.admission, initializeId))
            : Result.fail(mismatch)
        },
        respelled: learning(admitted, request)
      }
    }
  }
}
