import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { Context, MiddlewareHandler } from "hono"
import type { GatewayConfigInput } from "../config/GatewayConfigInput.ts"
import { type Admission, type CallerOf, makeEmbedded, type MiddlewareOptions } from "../embed/embedded.ts"
import type { OAuthTokenInfo } from "../embed/oauthTokenInfo.ts"
import { makePassed } from "../embed/passed.ts"
import { finished, toHandler, webResponse } from "../embed/webExchange.ts"
import type { KeepAlive } from "../fairness/WaitUntil.ts"
import type { Identity } from "../identity/Identity.ts"
import type { ProviderType } from "../providers/ProviderType.ts"

/** The variables in `c.var` for handlers behind the middleware. */
export interface HonoVariables<Claims = Identity["claims"], Way extends Admission = "protect"> {
  /** The caller in the form of the official SDK. Its transports take it as `authInfo`, and so does `@hono/mcp`. */
  readonly auth: OAuthTokenInfo | (Way extends "admit" ? undefined : never)
  /** The caller. */
  readonly identity: CallerOf<Way, Claims>
}

/** Options in addition to the settings. */
export interface HonoMiddlewareOptions<
  E = never,
  Types extends ReadonlyArray<ProviderType> = ReadonlyArray<ProviderType>,
  Claims = Identity["claims"]
> extends MiddlewareOptions<E, Types, Claims> {
  /**
   * Keeps work alive after the response: on Workers, `(work, c) => c.executionCtx.waitUntil(work)`. With it, keys and
   * verdicts are renewed before they expire, so that no request waits for that.
   */
  readonly waitUntil?: ((work: Promise<unknown>, context: Context) => void) | undefined
}

/** Authentication for Hono. */
export interface HonoMiddleware<Claims = Identity["claims"]> {
  /**
   * The middleware. It serves the discovery documents, responds to preflights and to callers without a valid token, and
   * passes all other requests to the handlers. All requests that reach it are protected.
   */
  readonly protect: MiddlewareHandler<{ Variables: HonoVariables<Claims> }>
  /**
   * Like `protect`, but requests that `rules` permit to anyone pass without a token, and then without `auth` and
   * `identity`.
   */
  readonly admit: MiddlewareHandler<{ Variables: HonoVariables<Claims, "admit"> }>
  /** Stops background work. Later requests fail. Every call returns the same promise. */
  readonly dispose: () => Promise<void>
}

/** Returns the original request, even if a middleware has read its body: Hono caches it. */
const unread = async ({ req }: Context): Promise<Request> =>
  req.raw.bodyUsed ? new Request(req.raw.url, { ...headOf(req.raw), body: await req.arrayBuffer() }) : req.raw

const headOf = ({ headers, method, signal }: Request) => ({ headers, method, signal })

/**
 * Builds authentication as a middleware of Hono, on Node, Bun, Deno, Workers and everywhere else that Hono runs.
 *
 * Mount it before the routes that it protects, and on the well-known paths, with every method: it serves the discovery
 * documents, and responds to callers without a valid token with the gateway's own 401, 403 or 500 and its challenge.
 * Handlers find the caller in `c.var.auth` and `c.var.identity`, typed. Settings and options are those of
 * `makeFetchMiddleware`. Hono is needed for its types alone.
 *
 * **Example**
 *
 * ```ts
 * import { Hono } from "hono"
 * import { makeHonoMiddleware } from "mcp-authorizer/middleware/HonoMiddleware"
 *
 * const { protect } = makeHonoMiddleware({
 *   jwt_issuer: "https://issuer.example.com",
 *   jwt_audience: "auto",
 *   public_url: "https://notes.example.com"
 * })
 *
 * export default new Hono()
 *   .use("/.well-known/*", protect)
 *   .use("/mcp", protect)
 *   .post("/mcp", (c) => c.json({ hello: c.var.identity.subject, scopes: c.var.auth.scopes }))
 * ```
 *
 * @param config the settings, as in the config file
 * @throws `InvalidConfiguration`, with all problems at once
 * @see RFC 6750; RFC 9728; MCP 2025-11-25, authorization
 */
export const makeHonoMiddleware = <
  E = never,
  const Types extends ReadonlyArray<ProviderType> = readonly [],
  Claims = Identity["claims"]
>(
  config: GatewayConfigInput<NoInfer<Types>>,
  options: HonoMiddlewareOptions<E, Types, Claims> = {}
): HonoMiddleware<Claims> => {
  const { callerOf, check, dispose } = makeEmbedded(config, options)
  const passed = makePassed()

  const middleware =
    <Way extends Admission>(way: Way): MiddlewareHandler<{ Variables: HonoVariables<Claims, Way> }> =>
    async (c, next) => {
      if (passed.has(c.req.raw, way)) return next()
      const request = await unread(c)
      const waitUntil: KeepAlive | undefined = options.waitUntil && ((work) => options.waitUntil?.(work, c))
      const result = await check(way, HttpServerRequest.fromWeb(request), { signal: request.signal, waitUntil })
      if (result._tag === "Responded") return webResponse(request, result)
      c.req.raw = toHandler(request, result)
      passed.add(c.req.raw, result.identity)
      // `protect` admits no request without a caller.
      c.set("auth", result.authInfo() as HonoVariables<Claims, Way>["auth"])
      c.set("identity", callerOf(way, result.identity))
      await next()
      const response = await finished(c.res, result)
      // Otherwise Hono would add the fields of the first response, including the server's own session id.
      c.res = undefined
      c.res = response
    }

  return { protect: middleware("protect"), admit: middleware("admit"), dispose }
}
