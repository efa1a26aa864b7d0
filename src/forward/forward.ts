import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Admission } from "../authorize/Admission.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { type InvalidRequest, type UpstreamError, UpstreamUnavailable } from "../errors/GatewayError.ts"
import { endWithToken } from "./endWithToken.ts"
import { GatewayClient, type UpstreamBody, type UpstreamRequest, type UpstreamResponse } from "./GatewayClient.ts"
import { identityHeaders } from "./identityHeaders.ts"
import { authContext } from "./message/authContext.ts"
import { initializeEvents } from "./message/initializeEvents.ts"
import { injectAuthInfo } from "./message/initializeResponse.ts"
import { rewriteRequest } from "./message/requestMessage.ts"
import type { RequestId } from "./message/scalarValue.ts"
import { joinBytes } from "./message/spliceBytes.ts"
import { requestHeaders } from "./requestHeaders.ts"
import { responseHeaders } from "./responseHeaders.ts"
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
  /** The JSON body, `undefined` when there is none. */
  readonly body: Uint8Array | undefined
  readonly traceId: string
  /** The peer's forwarding fields are believed. */
  readonly trustedPeer: boolean
}

const redirects: ReadonlySet<number> = new Set([300, 301, 302, 303, 307, 308])

/** Refuses answers that are none, and those that would lead the client away from this gateway. */
const refuseUnusable = (response: UpstreamResponse): Effect.Effect<void, UpstreamUnavailable> => {
  if (response.status > 599) {
    return Effect.fail(new UpstreamUnavailable({ detail: `the MCP server answers with the status ${response.status}` }))
  }
  if (redirects.has(response.status)) {
    return Effect.fail(new UpstreamUnavailable({ detail: `the MCP server redirects (${response.status})` }))
  }
  // A client that gets the MCP server's own challenge would ask another authorization server for a token.
  const isChallenge = response.status === 401 ||
    (response.status === 403 && response.headers["www-authenticate"] !== undefined)
  return isChallenge
    ? Effect.fail(new UpstreamUnavailable({ detail: `the MCP server asks for credentials (${response.status})` }))
    : Effect.void
}

const mediaType = (response: UpstreamResponse): string => {
  const value = response.headers["content-type"]
  return typeof value === "string" ? value.split(";", 1)[0]?.trim().toLowerCase() ?? "" : ""
}

/** Reads a JSON answer whole, to add to it; one over `limit` bytes is refused, for an `initialize` answer is small. */
const readWhole = (
  body: Exclude<UpstreamBody, { _tag: "Empty" }>,
  limit: number
): Effect.Effect<Uint8Array, UpstreamError> => {
  if (body._tag === "Bytes") return Effect.succeed(body.bytes)
  let size = 0
  return body.stream.pipe(
    Stream.mapEffect((chunk) => {
      size += chunk.length
      return size > limit
        ? Effect.fail(new UpstreamUnavailable({ detail: "the answer to initialize is too large" }))
        : Effect.succeed(chunk)
    }),
    Stream.runCollect,
    Effect.map(joinBytes)
  )
}

const without = <A>(headers: Readonly<Record<string, A>>, name: string): Record<string, A> => {
  const { [name]: _, ...rest } = headers
  return rest
}

/** What is put into the answer of `initialize`. */
interface Injection {
  readonly authInfo: Uint8Array
  readonly id: RequestId
  /** Longest answer that is looked into, in bytes. */
  readonly limit: number
}

/** Adds `authInfo` to the answer of `initialize`, whichever of the two forms it has. */
const withAuthInfo = Effect.fnUntraced(function*(
  response: UpstreamResponse,
  { authInfo, id, limit }: Injection
): Effect.fn.Return<UpstreamResponse, UpstreamError> {
  const type = mediaType(response)
  if (response.status !== 200 || response.body._tag === "Empty") return response
  const headers = without(response.headers, "content-length")
  if (type === "application/json") {
    const bytes = injectAuthInfo(yield* readWhole(response.body, limit), authInfo, id)
    return { ...response, headers, body: { _tag: "Bytes", bytes } }
  }
  if (type === "text/event-stream") {
    const events = response.body._tag === "Bytes" ? Stream.make(response.body.bytes) : response.body.stream
    const stream = initializeEvents({ authInfo, id, maxEventBytes: limit })(events)
    return { ...response, headers, body: { _tag: "Stream", stream } }
  }
  return response
})

/**
 * Builds the last stage of a request: header rules, identity, body rules, the call, and the rules for the answer.
 *
 * The resulting effect needs a scope that lives as long as the answer's body; closing it cancels the upstream request.
 * It fails with `InvalidRequest` when the body is not one unambiguous JSON-RPC message, and with an `UpstreamError`
 * when the MCP server does not give an answer that may be handed on.
 */
export const makeForward = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const client = yield* GatewayClient
  const basePath = new URL(settings.gatewayUrl).pathname

  return Effect.fnUntraced(function*(
    request: AdmittedRequest
  ): Effect.fn.Return<UpstreamResponse, InvalidRequest | UpstreamError, Scope.Scope> {
    const identity = request.admission.identity
    const context = identity === undefined ? undefined : authContext(identity)
    const message = request.body === undefined ? undefined : yield* Effect.fromResult(
      rewriteRequest(request.body, { authContext: settings.injectRequestContext ? context : undefined })
    )
    const id = message?.initializeId
    const injection: Injection | undefined = settings.injectResponseContext && context !== undefined && id !== undefined
      ? { authInfo: context, id, limit: settings.maxBodyBytes }
      : undefined

    const own: Record<string, string> = { [settings.traceHeader]: request.traceId }
    if (identity !== undefined && settings.identityHeaders) Object.assign(own, identityHeaders(identity))
    // An encoded answer could not be added to.
    if (injection !== undefined) own["accept-encoding"] = "identity"

    const outgoing: UpstreamRequest = {
      method: request.method,
      target: upstreamTarget(basePath, request.rest, request.query),
      headers: requestHeaders(request.headers, {
        trustedPeer: request.trustedPeer,
        forwardAuthorization: settings.forwardAuthorization,
        own
      }),
      body: message?.bytes
    }
    const response = yield* client.send(outgoing)
    yield* refuseUnusable(response)
    const answer = { ...response, headers: responseHeaders(response.headers) }
    const whole = injection === undefined ? answer : yield* withAuthInfo(answer, injection)
    return yield* endWithToken(whole, identity, settings.clockSkewSeconds)
  })
})
