import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import type * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { AuditLog } from "../audit/AuditLog.ts"
import type { Admission } from "../authorize/Admission.ts"
import { requireScopes } from "../authorize/requireScopes.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { perConfiguration, requireOwnServices } from "../config/perConfiguration.ts"
import { logWarnings } from "../config/warnings.ts"
import { type GatewayError, InvalidRequest, NotFound, PayloadTooLarge } from "../errors/GatewayError.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import { makeSessionSeal, sessionField } from "../forward/SessionSeal.ts"
import { logFault, makeAccessLog, makeCallerOf } from "../http/accessLog.ts"
import { ownerOf } from "../http/asker.ts"
import { makeAudit, withAudit } from "../http/audit.ts"
import { awaitMemory, makeBodyMemory } from "../http/bodyMemory.ts"
import { makeArrival } from "../http/course/arrival.ts"
import { makeOpenSession } from "../http/course/openSession.ts"
import { makeOwnResponses } from "../http/course/ownResponses.ts"
import { makePerform } from "../http/course/perform.ts"
import type { Next, ReadBody } from "../http/course/steps.ts"
import { makeDiscovery } from "../http/discovery.ts"
import { drive } from "../http/drive.ts"
import { begin, type Exchange } from "../http/Exchange.ts"
import { expectsBody } from "../http/expectsBody.ts"
import { requireMethod } from "../http/methods.ts"
import { mirroredFields } from "../http/mirroredFields.ts"
import { readBody } from "../http/readBody.ts"
import { type FindRoute, makeRoute, toMcp } from "../http/route.ts"
import { documentPaths, type ServerPlace } from "../http/routes.ts"
import type { Identity } from "../identity/Identity.ts"
import { disagreement } from "../message/mirrors.ts"
import { rewriteRequest } from "../message/requestMessage.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { embeddable } from "./embeddable.ts"
import { type Finish, makeFinish } from "./finish.ts"
import { frozen } from "./frozen.ts"
import { handlerFields } from "./handlerFields.ts"
import type { ToolScopes } from "./requireToolScopes.ts"

export type { Finish } from "./finish.ts"

/** An admitted request, with its caller. */
export interface Admitted {
  readonly _tag: "Admitted"
  readonly identity: Identity
  /** Trace id, provider, and a digest of issuer and subject: for the handler's log entries and spans. */
  readonly annotations: Readonly<Record<string, string>>
  /**
   * The request to forward to the handler: with the server's own session id, without the `Origin`, which was checked
   * here, without the token, and without fields that claim an identity.
   */
  readonly request: HttpServerRequest.HttpServerRequest
  /** The body, if it had to be read. The request contains it, too. */
  readonly body: Uint8Array | undefined
  /** Decides what the response still needs, by its status and its own fields. */
  readonly finish: (status: number, field: (name: string) => string | undefined) => Effect.Effect<Finish>
}

/** The result for a request: the guard responds, or the request is admitted. */
export type GuardResult =
  | { readonly _tag: "Responded"; readonly response: HttpServerResponse.HttpServerResponse }
  | Admitted

/** The result of the course. */
type Outcome = Omit<Admitted, "annotations">

/**
 * Everything but the well-known paths is protected: the host decides which paths come here. A well-known path that is not
 * one of our documents is unknown, never protected: a client that looks for a document must not be asked for a token.
 */
const makeGuardedRoute = (place: ServerPlace): FindRoute => {
  const routeOf = makeRoute(place)
  return (target) => {
    if (target.startsWith("/.well-known/")) return routeOf(target)
    const mark = target.indexOf("?")
    return toMcp("", mark === -1 ? "" : target.slice(mark + 1))
  }
}

// The methods that can call a tool, or that have no body in which a call could be.
const supportedMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "DELETE"])

/** Adds the length of a body: a Web request may have neither a length nor a transfer encoding. */
const withLength = (headers: Headers.Headers): Headers.Headers =>
  headers["content-length"] === undefined ? Headers.set(headers, "transfer-encoding", "chunked") : headers

const make = Effect.gen(function*() {
  const settings = yield* Effect.fromResult(embeddable(yield* GatewayConfig))
  const verifier = yield* TokenVerifier
  yield* requireOwnServices(settings, { TokenVerifier: verifier })
  yield* logWarnings(settings)
  const callerOf = yield* makeCallerOf
  const sessions = yield* makeSessionSeal(settings)
  const responses = makeOwnResponses(settings)
  const { reject } = responses
  const routeOf = makeGuardedRoute(settings)
  const arrive = makeArrival(settings, responses, routeOf, verifier.peek)
  const openSession = makeOpenSession(settings, responses)
  const perform = makePerform({
    verifier,
    sessions,
    discovery: yield* makeDiscovery(settings),
    // The path of the gateway's readiness belongs to the server here.
    readiness: Effect.fail(new NotFound())
  })
  const accessLog = yield* makeAccessLog
  const finish = yield* makeFinish(settings, sessions, accessLog)
  // The response to an admitted request comes later, from the handler.
  const audit = yield* makeAudit(settings, undefined)
  const logAdmitted = withAudit(() => Effect.void, audit)
  const logResponded = withAudit(
    (exchange, ended) => exchange.error === undefined ? Effect.void : accessLog(exchange, ended),
    audit
  )

  /** The step that reads a body that may call tools. Other methods have no body, or are rejected. */
  const readMessage = (
    exchange: Exchange,
    identity: Identity,
    toolScopes: ToolScopes,
    ready: (body: Uint8Array | undefined, listens?: boolean) => Next<Outcome>
  ): Next<Outcome> => {
    const { method } = exchange.request
    const limit = method === "POST" ? settings.maxBodyBytes : 0
    const rejected = (error: GatewayError) => reject(exchange, error)
    const content = () =>
      rejected(
        method === "POST"
          ? new PayloadTooLarge({ limit })
          : new InvalidRequest({ reason: "MalformedMessage", detail: `a body on ${method}` })
      )
    const usable = Result.andThen(
      requireMethod(supportedMethods, method),
      // The body of a POST is read regardless of the fields: a Web request may have a body without a length.
      () => method === "POST" ? expectsBody(exchange.request, limit) : Result.void
    )
    if (Result.isFailure(usable)) return rejected(usable.failure)
    return {
      _tag: "ReadBody",
      limit,
      owner: ownerOf(settings.trustedProxies, exchange, identity),
      whole: (bytes) => {
        if (method !== "POST") return bytes.length === 0 ? ready(undefined) : content()
        const mirrored = mirroredFields(exchange)
        const message = rewriteRequest(bytes, { authContext: undefined, mirrored })
        if (Result.isFailure(message)) return rejected(message.failure)
        const { listens, said, tools } = message.success
        const mismatch = disagreement(mirrored, said)
        if (mismatch !== undefined) return rejected(mismatch)
        const scoped = requireScopes(settings, identity, tools.flatMap(toolScopes))
        return Result.isFailure(scoped) ? rejected(scoped.failure) : ready(bytes, listens)
      },
      streamed: content,
      tooLarge: content,
      rejected
    }
  }

  // If requests may not wait for each other, the platform limits the memory.
  const memory = makeBodyMemory(settings, yield* SharedIo)

  /** Reads a body once there is memory for it. */
  const read = (
    request: HttpServerRequest.HttpServerRequest,
    step: ReadBody<Outcome>
  ): Effect.Effect<Next<Outcome>, never, Scope.Scope> =>
    Effect.matchEffect(step.limit === 0 ? Effect.void : awaitMemory(memory, withLength(request.headers), step.owner), {
      onSuccess: () => readBody(request, step),
      onFailure: (error) => Effect.succeed(step.rejected(error))
    })

  return Guard.of({
    documents: documentPaths(settings),
    check: Effect.fnUntraced(function*(arrived, toolScopes) {
      const exchange = begin(settings, arrived, yield* Clock.currentTimeNanos)
      const { headers, method } = arrived
      let request = arrived

      const admitted = (_: Exchange, admission: Admission): Next<Outcome> =>
        openSession(exchange, admission, (session) => {
          // Only if the operator switched authentication off, which `embeddable` rejects.
          if (admission.identity === undefined) throw new Error("admitted without an identity")
          const identity = frozen(admission.identity)
          // Before the body is read: the request object that reads the body is the one that keeps it.
          request = arrived.modify({
            headers: handlerFields(
              session?.id === undefined ? headers : Headers.set(headers, sessionField, session.id),
              settings.forwardAuthorization
            )
          })
          // A server of MCP 2026-07-28 rejects a message that differs from its fields.
          const byHead = method === "GET" || headers["mcp-method"] === "subscriptions/listen"
          const ready = (body: Uint8Array | undefined, listens = byHead): Next<Outcome> => ({
            _tag: "Ready",
            value: {
              _tag: "Admitted",
              identity,
              request,
              body,
              finish: finish({ exchange, identity, session, listens })
            }
          })
          return toolScopes === undefined ? ready(undefined) : readMessage(exchange, identity, toolScopes, ready)
        })

      const last = yield* Effect.suspend(() =>
        drive(perform, (step: ReadBody<Outcome>) => read(request, step), arrive(exchange, admitted))
      ).pipe(
        Effect.catchDefect((defect) => Effect.as(logFault(exchange, defect), responses.fault(exchange))),
        Effect.interruptible
      )
      if (last._tag === "Ready") {
        const { value } = last
        exchange.wasSent = true
        yield* logAdmitted(exchange, undefined)
        return { ...value, annotations: { trace_id: exchange.traceId, ...(yield* callerOf(value.identity)) } }
      }
      yield* logResponded(exchange, undefined)
      return { _tag: "Responded", response: last.response }
    })
  })
})

/**
 * Checks requests for servers that embed the gateway: identifies the caller, and admits or rejects the request.
 *
 * `Authentication.layer` and `makeFetchMiddleware` use it. Use it directly to protect a server of another kind.
 * Rejections are logged with their true reason; admitted requests are not. The audit log (`AuditLog`) contains both.
 *
 * **Example** (any server that handles Web requests)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpServerRequest from "effect/http/HttpServerRequest"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import { Guard } from "mcp-authorizer"
 *
 * const respond = Effect.fnUntraced(function*(request: Request) {
 *   const { check } = yield* Guard
 *   const result = yield* check(HttpServerRequest.fromWeb(request))
 *   return result._tag === "Responded"
 *     ? HttpServerResponse.toWeb(result.response)
 *     : new Response(`hello ${result.identity.subject}`)
 * })
 * ```
 */
export class Guard extends Context.Service<Guard, {
  /**
   * Responds to preflights, to requests for discovery documents, and to rejected requests. Admits all others.
   *
   * @param toolScopes scopes by tool. If given, the body of a `POST` is read (at most `MCP_MAX_BODY_BYTES`) and checked
   */
  readonly check: (
    request: HttpServerRequest.HttpServerRequest,
    toolScopes?: ToolScopes
  ) => Effect.Effect<GuardResult, never, Scope.Scope>
  /** The paths of the discovery documents, for hosts that route by path. */
  readonly documents: ReadonlyArray<HttpRouter.PathInput>
}>()("mcp-authorizer/embed/Guard") {
  /** Fails with `InvalidConfiguration` if the settings switch authentication off. */
  static readonly layer: Layer.Layer<
    Guard,
    InvalidConfiguration,
    GatewayConfig | TokenVerifier | ProviderMetadata
  > = perConfiguration(
    Layer.effect(Guard, make).pipe(
      Layer.provide([Digest.layerWebCrypto, Mac.layerWebCrypto, AuditLog.layerConsole]),
      Layer.provide(SecureRandom.layerWebCrypto)
    )
  )
}
