/** What becomes of an admitted request before it leaves. Pure. */
import * as Result from "effect/Result"
import type { Admission } from "../authorize/Admission.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { InvalidRequest } from "../errors/GatewayError.ts"
import type { UpstreamRequest } from "./GatewayClient.ts"
import { identityHeaders } from "./identityHeaders.ts"
import { authContext } from "./message/authContext.ts"
import { rewriteRequest } from "./message/requestMessage.ts"
import { RequestRewriter } from "./message/requestRewriter.ts"
import type { RequestRules } from "./message/requestRules.ts"
import type { RequestId } from "./message/scalarValue.ts"
import { requestHeaders } from "./requestHeaders.ts"
import { upstreamTarget } from "./upstreamTarget.ts"

/** A request that was let in, as far as forwarding looks at it. */
export interface AdmittedRequest {
  readonly admission: Admission
  readonly method: string
  /** What followed the MCP path. */
  readonly rest: string
  readonly query: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly traceId: string
  /** The peer's forwarding fields are believed. */
  readonly trustedPeer: boolean
}

/** What is put into the answer of `initialize`. */
export interface Injection {
  readonly authInfo: Uint8Array
  readonly id: RequestId
  /** Longest answer that is looked into, in bytes. */
  readonly limit: number
}

/** A request that is ready to leave, and what its answer will need. */
export interface Prepared {
  readonly request: UpstreamRequest
  readonly injection: Injection | undefined
}

/** A request whose message leaves as it comes. */
export interface PreparedStream {
  /** Without the message. */
  readonly request: UpstreamRequest
  readonly rewriter: RequestRewriter
  /** What the answer will need, once the message is over and its id is known. */
  readonly injection: (initializeId: RequestId | undefined) => Injection | undefined
}

/** The preparation of requests: body rules, header rules, identity. */
export interface Prepare {
  /**
   * Prepares a request with its JSON body, `undefined` where there is none.
   *
   * Fails with `InvalidRequest` when the body is not one unambiguous JSON-RPC message.
   */
  readonly whole: (
    admitted: AdmittedRequest,
    body: Uint8Array | undefined
  ) => Result.Result<Prepared, InvalidRequest>
  /** Prepares a request whose body is too long to be collected. */
  readonly streamed: (admitted: AdmittedRequest) => PreparedStream
}

/** Builds the preparation of requests. */
export const makePrepare = (settings: GatewaySettings): Prepare => {
  const basePath = new URL(settings.gatewayUrl).pathname

  const rulesFor = ({ identity }: Admission): RequestRules => ({
    authContext: identity === undefined || !settings.injectRequestContext ? undefined : () => authContext(identity),
    ignoreTools: true
  })

  const injectionFor = ({ identity }: Admission, id: RequestId | undefined): Injection | undefined =>
    identity === undefined || id === undefined || !settings.injectResponseContext
      ? undefined
      : { authInfo: authContext(identity), id, limit: settings.maxBodyBytes }

  const leaving = (admitted: AdmittedRequest, body: Uint8Array | undefined, injects: boolean): UpstreamRequest => {
    const { identity } = admitted.admission
    const own: Record<string, string> = { [settings.traceHeader]: admitted.traceId }
    if (identity !== undefined && settings.identityHeaders) Object.assign(own, identityHeaders(identity))
    // An encoded answer could not be added to.
    if (injects) own["accept-encoding"] = "identity"
    return {
      method: admitted.method,
      target: upstreamTarget(basePath, admitted.rest, admitted.query),
      headers: requestHeaders(admitted.headers, {
        trustedPeer: admitted.trustedPeer,
        forwardAuthorization: settings.forwardAuthorization,
        own
      }),
      body
    }
  }

  return {
    whole: (admitted, body) => {
      const { admission } = admitted
      if (body === undefined) {
        return Result.succeed({ request: leaving(admitted, undefined, false), injection: undefined })
      }
      const message = rewriteRequest(body, rulesFor(admission))
      if (Result.isFailure(message)) return Result.fail(message.failure)
      const { bytes, initializeId } = message.success
      const injection = injectionFor(admission, initializeId)
      return Result.succeed({ request: leaving(admitted, bytes, injection !== undefined), injection })
    },
    streamed: (admitted) => ({
      // It may turn out to be an `initialize`.
      request: leaving(admitted, undefined, settings.injectResponseContext),
      rewriter: new RequestRewriter(rulesFor(admitted.admission)),
      injection: (id) => injectionFor(admitted.admission, id)
    })
  }
}
