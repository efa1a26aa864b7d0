import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { GatewayConfigInput } from "../config/GatewayConfigInput.ts"
import type { ClaimedIdentity } from "../identity/ClaimedIdentity.ts"
import type { Identity } from "../identity/Identity.ts"
import type { ProviderType } from "../providers/ProviderType.ts"
import { type Admission, type CallerOf, makeEmbedded, type MiddlewareOptions } from "./embedded.ts"
import { finished, toHandler, webResponse } from "./webExchange.ts"

/** A web handler that gets the caller, and any further arguments of the platform (environment, context). */
export type IdentifiedHandler<Rest extends ReadonlyArray<unknown>, Claims = Identity["claims"]> = (
  request: Request,
  identity: ClaimedIdentity<Claims>,
  ...rest: Rest
) => Response | Promise<Response>

/** A web handler for requests that rules permit to anyone, which have no identity. */
export type PublicHandler<Rest extends ReadonlyArray<unknown>, Claims = Identity["claims"]> = (
  request: Request,
  identity: ClaimedIdentity<Claims> | undefined,
  ...rest: Rest
) => Response | Promise<Response>

/** Authentication for web handlers. */
export interface FetchMiddleware<Claims = Identity["claims"]> {
  /**
   * Wraps a handler, which is called only with a verified identity.
   *
   * The wrapped handler responds to preflights and serves the discovery documents, so route those paths to it, too. Other
   * paths below `/.well-known/` result in 404, and everything else is protected. The handler gets a plain `Request`
   * without the token. If the handler throws, the promise is rejected. An event stream that only listens ends with its
   * token.
   */
  readonly protect: <Rest extends ReadonlyArray<unknown>>(
    handler: IdentifiedHandler<Rest, Claims>
  ) => (request: Request, ...rest: Rest) => Promise<Response>
  /**
   * Like `protect`, but requests that `rules` permit to anyone reach the handler without a token and without an
   * identity. `protect` rejects such requests with 401.
   */
  readonly admit: <Rest extends ReadonlyArray<unknown>>(
    handler: PublicHandler<Rest, Claims>
  ) => (request: Request, ...rest: Rest) => Promise<Response>
  /** Stops background work. Later requests are rejected. Every call returns the same promise. */
  readonly dispose: () => Promise<void>
}

/** Options in addition to the settings. */
export interface FetchMiddlewareOptions<
  E = never,
  Types extends ReadonlyArray<ProviderType> = ReadonlyArray<ProviderType>,
  Claims = Identity["claims"]
> extends MiddlewareOptions<E, Types, Claims> {
  /**
   * Keeps work alive after the response, on hosts that end the I/O of a request with its response. With it, keys and
   * verdicts are renewed before they expire, so that no request waits for that. Called with the platform's further
   * arguments.
   *
   * **Example** (Cloudflare Workers)
   *
   * ```ts
   * import { makeFetchMiddleware } from "mcp-authorizer"
   *
   * interface ExecutionContext {
   *   readonly waitUntil: (promise: Promise<unknown>) => void
   * }
   *
   * const { protect } = makeFetchMiddleware({
   *   jwt_issuer: "https://issuer.example.com",
   *   jwt_audience: "auto",
   *   public_url: "https://notes.example.com"
   * }, { waitUntil: (work, _environment: unknown, context: ExecutionContext) => context.waitUntil(work) })
   * ```
   */
  readonly waitUntil?: ((work: Promise<unknown>, ...rest: ReadonlyArray<never>) => void) | undefined
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
export const makeFetchMiddleware = <
  E = never,
  const Types extends ReadonlyArray<ProviderType> = readonly [],
  Claims = Identity["claims"]
>(
  config: GatewayConfigInput<NoInfer<Types>>,
  options: FetchMiddlewareOptions<E, Types, Claims> = {}
): FetchMiddleware<Claims> => {
  const embedded = makeEmbedded(config, options)
  const { waitUntil } = options

  const wrap = <Way extends Admission>(way: Way) =>
  <Rest extends ReadonlyArray<unknown>>(
    handler: (request: Request, identity: CallerOf<Way, Claims>, ...rest: Rest) => Response | Promise<Response>
  ) =>
  async (request: Request, ...rest: Rest): Promise<Response> => {
    const result = await embedded.check(way, HttpServerRequest.fromWeb(request), {
      signal: request.signal,
      // The program declares the arguments of its platform.
      waitUntil: waitUntil && ((work) => waitUntil(work, ...rest as unknown as ReadonlyArray<never>))
    })
    if (result._tag === "Responded") return webResponse(request, result)
    return finished(await handler(toHandler(request, result), embedded.callerOf(way, result.identity), ...rest), result)
  }

  return { protect: wrap("protect"), admit: wrap("admit"), dispose: embedded.dispose }
}
