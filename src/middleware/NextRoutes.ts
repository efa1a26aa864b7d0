import type { GatewayConfigInput } from "../config/GatewayConfigInput.ts"
import {
  type FetchMiddleware,
  type FetchMiddlewareOptions,
  type IdentifiedHandler,
  makeFetchMiddleware,
  type PublicHandler
} from "../embed/FetchMiddleware.ts"
import type { Identity } from "../identity/Identity.ts"
import type { ProviderType } from "../providers/ProviderType.ts"

/** A handler as Next.js calls it: with the request, and with the parameters of its path. */
export type NextHandler<Rest extends ReadonlyArray<unknown> = []> = (
  request: Request,
  ...rest: Rest
) => Promise<Response>

/** The exports of a `route.ts`, one for each method. */
export interface NextRoute<Rest extends ReadonlyArray<unknown> = []> {
  readonly GET: NextHandler<Rest>
  readonly POST: NextHandler<Rest>
  readonly DELETE: NextHandler<Rest>
  readonly OPTIONS: NextHandler<Rest>
}

/** The exports of the `route.ts` below `app/.well-known`. */
export type NextDocuments = Pick<NextRoute, "GET" | "OPTIONS"> & { readonly HEAD: NextHandler }

/** Routes of the app router of Next.js. */
export interface NextRoutes<Claims = Identity["claims"]> {
  /**
   * Builds the route of the MCP endpoint, whose handler gets the caller. Its path must equal `path` in the settings.
   */
  readonly route: <Rest extends ReadonlyArray<unknown> = []>(
    handler: IdentifiedHandler<Rest, Claims>
  ) => NextRoute<Rest>
  /**
   * Like `route`, but requests that `rules` permit to anyone reach the handler without a token and without an identity.
   */
  readonly publicRoute: <Rest extends ReadonlyArray<unknown> = []>(
    handler: PublicHandler<Rest, Claims>
  ) => NextRoute<Rest>
  /** The route of the discovery documents. */
  readonly documents: NextDocuments
  /** Stops background work. Later requests are rejected. Every call returns the same promise. */
  readonly dispose: () => Promise<void>
}

/** Calls a handler of the middleware, which is built with the first request. */
const later = <Rest extends ReadonlyArray<unknown>>(make: () => NextHandler<Rest>): NextHandler<Rest> => {
  let handler: NextHandler<Rest> | undefined
  return async (request, ...rest) => (handler ??= make())(request, ...rest)
}

const everyMethod = <Rest extends ReadonlyArray<unknown>>(handler: NextHandler<Rest>): NextRoute<Rest> => ({
  GET: handler,
  POST: handler,
  DELETE: handler,
  OPTIONS: handler
})

/**
 * Builds route handlers for the app router of Next.js, for the MCP endpoint and the discovery documents.
 *
 * Keep the result in a separate module that both `route.ts` files import. Settings and options are those of
 * `makeFetchMiddleware`; `waitUntil` of `@vercel/functions` can be passed as the option of that name. Settings are
 * checked with the first request, because `next build` loads the routes, too, often without the variables of the
 * running program. Invalid settings reject every request with `InvalidConfiguration`.
 *
 * **Example** (`lib/auth.ts`)
 *
 * ```ts
 * import { makeNextRoutes } from "mcp-authorizer/middleware/NextRoutes"
 *
 * export const { documents, route } = makeNextRoutes({
 *   jwt_issuer: "https://issuer.example.com",
 *   jwt_audience: "auto",
 *   public_url: "https://notes.example.com",
 *   path: "/mcp"
 * })
 *
 * // app/mcp/route.ts
 * export const { DELETE, GET, OPTIONS, POST } = route((_request, identity) => Response.json({ hello: identity.subject }))
 * ```
 *
 * `app/.well-known/[...document]/route.ts` has `export const { GET, HEAD, OPTIONS } = documents`.
 *
 * @param config the settings, as in the config file
 * @see RFC 6750; RFC 9728
 */
export const makeNextRoutes = <
  E = never,
  const Types extends ReadonlyArray<ProviderType> = readonly [],
  Claims = Identity["claims"]
>(
  config: GatewayConfigInput<NoInfer<Types>>,
  options: FetchMiddlewareOptions<E, Types, Claims> = {}
): NextRoutes<Claims> => {
  let made: FetchMiddleware<Claims> | undefined
  const middleware = () => made ??= makeFetchMiddleware(config, options)
  // A protected path that is routed here by mistake has no document.
  const document = later(() => middleware().protect(() => new Response(null, { status: 404 })))
  return {
    route: (handler) => everyMethod(later(() => middleware().protect(handler))),
    publicRoute: (handler) => everyMethod(later(() => middleware().admit(handler))),
    documents: { GET: document, HEAD: document, OPTIONS: document },
    dispose: async () => made?.dispose()
  }
}
