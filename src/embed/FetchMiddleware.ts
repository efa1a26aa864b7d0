import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { AuditLog, type WriteAuditEntry } from "../audit/AuditLog.ts"
import { GatewayConfig, type GatewayConfigOptions } from "../config/GatewayConfig.ts"
import type { GatewayConfigInput } from "../config/GatewayConfigInput.ts"
import { UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { UpstreamBody } from "../forward/GatewayClient.ts"
import type { Identity } from "../identity/Identity.ts"
import type { ProviderType } from "../providers/ProviderType.ts"
import type { Verification } from "../verify/layers.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { embeddableSettings } from "./embeddable.ts"
import { type Admitted, type Finish, Guard, type GuardResult } from "./Guard.ts"
import { layerVerifierWith } from "./layers.ts"
import { makeRuntime } from "./makeRuntime.ts"
import { listedScopes, type ToolScopes } from "./requireToolScopes.ts"

/** A web handler that gets the caller. Further arguments of the platform (environment, context) follow. */
export type IdentifiedHandler<Rest extends ReadonlyArray<unknown>> = (
  request: Request,
  identity: Identity,
  ...rest: Rest
) => Response | Promise<Response>

/** A web handler for requests that rules permit to anyone, which have no identity. */
export type PublicHandler<Rest extends ReadonlyArray<unknown>> = (
  request: Request,
  identity: Identity | undefined,
  ...rest: Rest
) => Response | Promise<Response>

/** Authentication for web handlers. */
export interface FetchMiddleware {
  /**
   * Wraps a handler, which is called only with a verified identity.
   *
   * The wrapped handler responds to preflights and serves the discovery documents, so route those paths to it, too. Other
   * paths below `/.well-known/` result in 404, and everything else is protected. The handler gets a plain `Request`
   * without the token. If the handler throws, the promise is rejected. An event stream that only listens ends with its
   * token.
   */
  readonly protect: <Rest extends ReadonlyArray<unknown>>(
    handler: IdentifiedHandler<Rest>
  ) => (request: Request, ...rest: Rest) => Promise<Response>
  /**
   * The same, but requests that `rules` permit to anyone reach the handler without a token and without an identity.
   * `protect` rejects such a request with 401.
   */
  readonly admit: <Rest extends ReadonlyArray<unknown>>(
    handler: PublicHandler<Rest>
  ) => (request: Request, ...rest: Rest) => Promise<Response>
  /** Stops background work. Later requests are rejected. Every call returns the same promise. */
  readonly dispose: () => Promise<void>
}

/** A handler's stream failed. The client sees only that the connection was closed. */
class BrokenOff extends Data.TaggedError("BrokenOff")<{ readonly cause: unknown }> {}

/** Options in addition to the settings. */
export interface FetchMiddlewareOptions<
  E = never,
  Types extends ReadonlyArray<ProviderType> = ReadonlyArray<ProviderType>
> extends GatewayConfigOptions<Types> {
  /** The verification of tokens on top of the configured providers. Default: `TokenVerifier.layer`. */
  readonly verifier?: Verification<E> | undefined
  /**
   * The scopes that a tool requires, in addition to those that every request requires. A call without them results in 403
   * `insufficient_scope`. Bodies are read for this check, at most `max_body_bytes`. The protected resource
   * metadata lists the scopes of a record.
   */
  readonly toolScopes?: ToolScopes | Readonly<Record<string, ReadonlyArray<string>>> | undefined
  /** Where rejections and defects are logged, such as `Logger.layer([Logger.consoleJson])`. Default: Effect's logger. */
  readonly logger?: Layer.Layer<never> | undefined
  /** Takes each audit entry as an object, in addition to where `audit_log` says. */
  readonly audit?: WriteAuditEntry | undefined
}

/** The request that the handler gets: only the forwarded fields, and the body even if it was read before. */
const toHandler = (
  request: Request,
  { body, request: { headers } }: Pick<Admitted<Identity | undefined>, "body" | "request">
): Request => new Request(request, { headers: { ...headers }, ...(body === undefined ? {} : { body: body.slice() }) })

const read = (body: ReadableStream<Uint8Array>): Stream.Stream<Uint8Array, UpstreamUnavailable> =>
  Stream.fromReadableStream<Uint8Array, UpstreamUnavailable>({
    evaluate: () => body,
    onError: (cause) => new UpstreamUnavailable({ detail: "the handler's response broke off", cause })
  })

const written = (body: UpstreamBody): ReadableStream<Uint8Array> | null => {
  switch (body._tag) {
    case "Empty":
      return null
    case "Bytes":
      return new Response(new Uint8Array(body.bytes)).body
    case "Stream":
      return Stream.toReadableStream(body.stream)
  }
}

/** A body that ends when its token does. */
const limited = (body: ReadableStream<Uint8Array>, limit: NonNullable<Finish["limit"]>): ReadableStream<Uint8Array> =>
  Stream.toReadableStream(
    limit(Stream.fromReadableStream<Uint8Array, BrokenOff>({
      evaluate: () => body,
      onError: (cause) => new BrokenOff({ cause })
    }))
  )

const finished = async (
  response: Response,
  { finish }: Pick<Admitted<Identity | undefined>, "finish">
): Promise<Response> => {
  // `Response.error()`, and the response of an upgraded connection, cannot be changed.
  if (response.status < 200) return response
  const { headers } = response
  const { fields, limit, lists } = await Effect.runPromise(
    finish(response.status, (name) => headers.get(name) ?? undefined)
  )
  const filtered = lists === undefined || response.body === null
    ? undefined
    : await Effect.runPromise(lists({ _tag: "Stream", stream: read(response.body) }))
  if (filtered?._tag === "Responded") return HttpServerResponse.toWeb(filtered.response)
  const body = filtered === undefined ? response.body : written(filtered.body)
  // A new response, because the headers of some responses (a `fetch`, a redirect) are immutable.
  const completed = new Response(
    limit === undefined || body === null ? body : limited(body, limit),
    response
  )
  if (filtered !== undefined) completed.headers.delete("content-length")
  for (const [name, value] of Object.entries(fields)) completed.headers.set(name, value)
  return completed
}

/**
 * Builds authentication for web handlers: Hono, a Next.js route, Bun, Deno, Workers, or the official SDK's web transport.
 *
 * Callers without a valid token get the gateway's own responses: 401, 403 or 500 with its challenge. The middleware also
 * serves the discovery documents and responds to preflights. Throws `InvalidConfiguration`, which lists all problems and
 * how to fix them, if the settings are invalid. Nothing is fetched before the first request. If the verifier cannot be
 * built then, the error is logged, and every request is rejected. `path` of the settings must be that of the server. By
 * default, browsers may call from loopback origins only; see `allowed_origins`.
 *
 * **Example** (Workers, Bun, Deno)
 *
 * ```ts
 * import { makeFetchMiddleware } from "mcp-authorizer"
 *
 * const { protect } = makeFetchMiddleware({
 *   jwt_issuer: "https://issuer.example.com",
 *   jwt_audience: "auto",
 *   public_url: "https://notes.example.com"
 * })
 *
 * export default {
 *   fetch: protect((_request, identity) => Response.json({ hello: identity.subject }))
 * }
 * ```
 *
 * @param config the settings, as in the config file
 * @see RFC 6750; RFC 9728; MCP 2025-11-25, authorization
 */
export const makeFetchMiddleware = <E = never, const Types extends ReadonlyArray<ProviderType> = readonly []>(
  config: GatewayConfigInput<NoInfer<Types>>,
  { audit, logger, toolScopes, types, verifier }: FetchMiddlewareOptions<E, Types> = {}
): FetchMiddleware => {
  const settings = embeddableSettings(config, types)
  let disposed: Promise<void> | undefined
  const listed = typeof toolScopes === "object" ? listedScopes(toolScopes) : undefined
  const scopesOf = typeof toolScopes === "object" ? listed?.scopesOf : toolScopes
  const runtime = makeRuntime(
    Guard.layerWithScopes(listed?.all ?? []).pipe(
      Layer.provide(layerVerifierWith(verifier ?? TokenVerifier.layer)),
      Layer.provide(Layer.succeed(GatewayConfig, settings)),
      Layer.provide(audit === undefined ? Layer.empty : AuditLog.layer(audit))
    ),
    logger
  )

  /** @param checkOf the check: `check` or `admit` of the guard */
  const wrap = <Caller extends Identity | undefined>(
    checkOf: (guard: Guard["Service"]) => (
      request: HttpServerRequest.HttpServerRequest,
      toolScopes?: ToolScopes
    ) => Effect.Effect<GuardResult<Caller>, never, Scope.Scope>
  ) => {
    const check = (request: Request) =>
      Effect.gen(function*() {
        const result = yield* checkOf(yield* Guard)(HttpServerRequest.fromWeb(request), scopesOf)
        return result._tag === "Admitted"
          ? result
          : HttpServerResponse.toWeb(result.response, { withoutBody: request.method === "HEAD" })
      }).pipe(Effect.scoped)
    return <Rest extends ReadonlyArray<unknown>>(
      handler: (request: Request, identity: Caller, ...rest: Rest) => Response | Promise<Response>
    ) =>
    async (request: Request, ...rest: Rest): Promise<Response> => {
      const result = await runtime.runPromise(check(request), { signal: request.signal })
      if (result instanceof Response) return result
      return finished(await handler(toHandler(request, result), result.identity, ...rest), result)
    }
  }

  return {
    protect: wrap(({ check }) => check),
    admit: wrap(({ admit }) => admit),
    dispose: () => disposed ??= runtime.dispose()
  }
}
