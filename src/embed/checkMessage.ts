/** Checks the operations of a message by the rules and by the scopes of tools, in servers that embed the gateway. */
import * as Result from "effect/Result"
import type { Admission } from "../authorize/Admission.ts"
import { requireScopes } from "../authorize/requireScopes.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { type GatewayError, InvalidRequest, PayloadTooLarge, TokenRequired } from "../errors/GatewayError.ts"
import { makeLimiting } from "../http/course/limiting.ts"
import { missingCredential } from "../http/course/methodWithoutToken.ts"
import { noteOperations } from "../http/course/noteOperations.ts"
import type { OwnResponses } from "../http/course/ownResponses.ts"
import { makeRuling } from "../http/course/ruling.ts"
import type { Next } from "../http/course/steps.ts"
import type { Exchange } from "../http/Exchange.ts"
import { expectsBody } from "../http/expectsBody.ts"
import { requireMethod } from "../http/methods.ts"
import { mirroredFields } from "../http/mirroredFields.ts"
import { ownerOf } from "../http/requester.ts"
import type { Identity } from "../identity/Identity.ts"
import { disagreement } from "../message/mirrors.ts"
import { rewriteRequest } from "../message/requestMessage.ts"
import type { ToolScopes } from "./requireToolScopes.ts"

// The methods whose body can contain an operation, or that have no body.
const supportedMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "DELETE"])

type Ready<A> = (admission: Admission, body: Uint8Array | undefined, listens?: boolean) => Next<A>

/** The step that reads a body with operations. Requests with other methods have no body, or are rejected. */
export type CheckMessage = <A>(
  exchange: Exchange,
  admission: Admission | undefined,
  toolScopes: ToolScopes | undefined,
  ready: Ready<A>
) => Next<A>

const noScopes: ToolScopes = () => []

/**
 * Builds the step.
 *
 * The body is read only if there are rules, scopes of tools, rate limits or an audit log.
 *
 * @param audits whether the operations of messages are recorded
 */
export const makeCheckMessage = (
  settings: GatewaySettings,
  responses: OwnResponses,
  nowMillis: () => number,
  audits: boolean
): CheckMessage => {
  const { reject, rejectMessage } = responses
  const { policy } = settings
  const ruling = policy === undefined ? undefined : makeRuling(settings, policy, nowMillis)
  const limiting = makeLimiting(settings, responses)

  /** Checks the scopes of the called tools. They are required in addition to what the rules require. */
  const toolsAllowed = (
    identity: Identity | undefined,
    scopes: ReadonlyArray<string>
  ): Result.Result<void, GatewayError> => {
    if (identity !== undefined) return requireScopes(settings, identity, scopes)
    return scopes.length === 0 ? Result.void : Result.fail(
      new TokenRequired({
        required: [...new Set([...settings.requiredScopes, ...scopes])],
        detail: "a called tool needs scopes"
      })
    )
  }

  return (exchange, admission, toolScopes, ready) => {
    if (ruling === undefined && toolScopes === undefined && !audits && !limiting.readsMessages) {
      return admission === undefined ? reject(exchange, missingCredential()) : ready(admission, undefined)
    }
    const { method } = exchange.request
    const limit = method === "POST" ? settings.maxBodyBytes : 0
    // Without a token, clients learn only that a token is required, unless the gateway is out of memory for bodies.
    const rejected = (error: GatewayError) =>
      reject(exchange, admission !== undefined || error._tag === "Overloaded" ? error : missingCredential())
    const content = () =>
      rejected(
        method === "POST"
          ? new PayloadTooLarge({ limit })
          : new InvalidRequest({ reason: "MalformedMessage", detail: `a body on ${method}` })
      )
    const usable = Result.andThen(
      requireMethod(supportedMethods, method),
      // The body of a POST is read even if no field announces it: a Web request may have a body without a length.
      () => method === "POST" ? expectsBody(exchange.request, limit) : Result.void
    )
    if (Result.isFailure(usable)) return rejected(usable.failure)
    return {
      _tag: "ReadBody",
      limit,
      owner: ownerOf(settings.trustedProxies, exchange, admission?.identity),
      whole: (bytes) => {
        if (method !== "POST") {
          if (bytes.length > 0) return content()
          return admission === undefined
            ? rejected(missingCredential())
            : limiting.count(exchange, admission.identity, undefined, () => ready(admission, undefined))
        }
        const mirrored = mirroredFields(exchange)
        const message = rewriteRequest(bytes, { authContext: undefined, mirrored })
        if (Result.isFailure(message)) {
          if (audits) noteOperations(exchange, bytes)
          const ruled = admission === undefined ? ruling?.body(exchange, undefined, bytes) : undefined
          return ruled !== undefined && Result.isFailure(ruled)
            ? rejectMessage(exchange, ruled.failure, bytes)
            : rejected(message.failure)
        }
        const { content: mirrorable, listens, tools } = message.success
        const mismatch = disagreement(mirrored, mirrorable)
        if (mismatch !== undefined && admission !== undefined) {
          if (audits) noteOperations(exchange, bytes)
          return reject(exchange, mismatch)
        }
        const ruled = ruling === undefined
          ? Result.fromNullishOr(admission, missingCredential)
          : ruling.body(exchange, admission, bytes)
        if (Result.isFailure(ruled)) return rejectMessage(exchange, ruled.failure, bytes)
        const unreadable = audits ? noteOperations(exchange, bytes) : undefined
        if (unreadable !== undefined) return reject(exchange, unreadable)
        if (mismatch !== undefined) return reject(exchange, mismatch)
        const scoped = toolsAllowed(ruled.success.identity, tools.flatMap(toolScopes ?? noScopes))
        return Result.isFailure(scoped)
          ? rejectMessage(exchange, scoped.failure, bytes)
          : limiting.count(exchange, ruled.success.identity, bytes, () => ready(ruled.success, bytes, listens))
      },
      streamed: undefined,
      tooLarge: content,
      rejected
    }
  }
}
