import type { ServerResponse } from "node:http"
import type { GatewayConfigInput } from "../config/GatewayConfigInput.ts"
import { makeEmbedded, type MiddlewareOptions } from "../embed/embedded.ts"
import { makePassed } from "../embed/passed.ts"
import type { Identity } from "../identity/Identity.ts"
import type { ProviderType } from "../providers/ProviderType.ts"
import { crypto, references } from "./nodeCrypto.ts"
import { type AuthenticatedRequest, giveRequest, type NodeRequest, toServerRequest } from "./nodeRequest.ts"
import { finishResponse, writeResponse } from "./nodeResponse.ts"

export type { AuthenticatedRequest, MiddlewareOptions, NodeRequest }

/** Middleware for Express, Connect, Nest and, in an `onRequest` hook, Fastify. */
export type NodeHandler = (
  request: NodeRequest,
  response: ServerResponse,
  next: (error?: Error) => void
) => void

/** Authentication for servers with Node's requests and responses. */
export interface NodeMiddleware<Claims = Identity["claims"]> {
  /**
   * The middleware. It serves the discovery documents, responds to preflights and to callers without a valid token, and
   * calls `next` for all others, with `request.auth` and `request.identity`. All requests that reach it are protected.
   */
  readonly protect: NodeHandler
  /**
   * Like `protect`, but requests that `rules` permit to anyone pass without a token, and then without `auth` and
   * `identity`.
   */
  readonly admit: NodeHandler
  /** Returns the caller of a request that has passed `protect`. Throws a `TypeError` for any other request. */
  readonly callerOf: (request: object) => AuthenticatedRequest<Claims>
  /** Stops background work. Later requests fail. Every call returns the same promise. */
  readonly dispose: () => Promise<void>
}

/**
 * Builds authentication as a Node middleware `(request, response, next)`, for Express, Fastify and Nest.
 *
 * Mount it before the routes that it protects, together with the well-known paths: `app.use(["/mcp", "/.well-known"],
 * protect)`, or `app.use(protect)`, which protects everything after it. It serves the discovery documents, responds to
 * preflights, and responds to callers without a valid token with the gateway's own 401, 403 or 500 and its challenge.
 * Requests of other callers continue: without the token in their fields, with the body unread (where rules or scopes of
 * tools had to read it, it was put back), and with the caller in `request.auth` and `request.identity`. Session ids are
 * bound to their caller, event streams end when their token expires, and lists are filtered according to the rules;
 * other responses are unchanged.
 *
 * A body parser may come before it: `request.body` is then what rules check. Settings and options are those of
 * `makeFetchMiddleware`. Nothing is fetched before the first request.
 *
 * **Example** (Express)
 *
 * ```ts
 * import express from "express"
 * import { makeNodeMiddleware } from "mcp-authorizer/middleware/NodeMiddleware"
 *
 * const { callerOf, protect } = makeNodeMiddleware({
 *   jwt_issuer: "https://issuer.example.com",
 *   jwt_audience: "auto",
 *   public_url: "https://notes.example.com"
 * })
 *
 * const app = express()
 * app.use(["/mcp", "/.well-known"], protect)
 * app.post("/mcp", (request, response) => {
 *   response.json({ hello: callerOf(request).identity.subject })
 * })
 * ```
 *
 * @param config the settings, as in the config file
 * @throws `InvalidConfiguration`, with all problems at once
 * @see RFC 6750; RFC 9728; MCP 2025-11-25, authorization
 */
export const makeNodeMiddleware = <
  E = never,
  const Types extends ReadonlyArray<ProviderType> = readonly [],
  Claims = Identity["claims"]
>(
  config: GatewayConfigInput<NoInfer<Types>>,
  options: MiddlewareOptions<E, Types, Claims> = {}
): NodeMiddleware<Claims> => {
  const { callerOf, check, dispose } = makeEmbedded(config, options, { crypto, references })
  const callers = new WeakMap<object, AuthenticatedRequest<Claims>>()
  const passed = makePassed()

  const middleware = (way: "protect" | "admit"): NodeHandler => {
    const handle = async (request: NodeRequest, response: ServerResponse): Promise<boolean> => {
      if (passed.has(request, way)) return true
      const left = new AbortController()
      const leave = () => left.abort()
      response.once("close", leave)
      const arrived = toServerRequest(request)
      const result = await check(way, arrived, { signal: left.signal })
      response.off("close", leave)
      if (result._tag === "Responded") {
        await writeResponse(response, result.response, request.method === "HEAD")
        // No one needs the body that was put back.
        if (request.complete) request.resume()
        return false
      }
      const auth = result.authInfo()
      const identity = callerOf("admit", result.identity)
      const caller = auth === undefined || identity === undefined ? undefined : { auth, identity }
      finishResponse(response, result, request.method)
      giveRequest(request, arrived.headers, result.request.headers, caller ?? {})
      passed.add(request, result.identity)
      if (caller !== undefined) callers.set(request, caller)
      return true
    }
    return (request, response, next) => {
      handle(request, response).then(
        (isAdmitted) => {
          if (isAdmitted) next()
        },
        (error: unknown) => {
          // A client that has disconnected needs no response.
          if (!response.destroyed) next(error instanceof Error ? error : new Error("the request cannot be checked"))
        }
      )
    }
  }

  return {
    protect: middleware("protect"),
    admit: middleware("admit"),
    callerOf: (request) => {
      // Fastify and others wrap Node's request.
      const caller = callers.get(request) ?? ("raw" in request ? callers.get(request.raw as object) : undefined)
      if (caller === undefined) throw new TypeError("the request has not passed the middleware, or has no caller")
      return caller
    },
    dispose
  }
}
