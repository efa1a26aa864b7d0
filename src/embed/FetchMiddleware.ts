import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Result from "effect/Result"
import { fromInput } from "../config/document.ts"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { GatewayConfigInput } from "../config/GatewayConfigInput.ts"
import { resolve } from "../config/resolve.ts"
import type { Identity } from "../identity/Identity.ts"
import type { ProviderRegistry } from "../verify/ProviderRegistry.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { type Admitted, embeddable, Guard } from "./Guard.ts"
import { layerVerifierWith } from "./portable.ts"
import type { ToolScopes } from "./RequiredScopes.ts"

/** A web handler that knows who calls; what else the platform gives (environment, context) comes behind. */
export type IdentifiedHandler<Rest extends ReadonlyArray<unknown>> = (
  request: Request,
  identity: Identity,
  ...rest: Rest
) => Response | Promise<Response>

/** Authentication for web handlers. */
export interface FetchMiddleware {
  /**
   * Wraps a handler: it is called with the verified identity, or not at all.
   *
   * The wrapped handler answers preflights and the discovery documents, so hand it those paths, too; every other path
   * that it is given is protected. A handler that throws makes it reject.
   */
  readonly protect: <Rest extends ReadonlyArray<unknown>>(
    handler: IdentifiedHandler<Rest>
  ) => (request: Request, ...rest: Rest) => Promise<Response>
  /** Stops what runs in the background; requests afterwards reject. */
  readonly dispose: () => Promise<void>
}

/** What can be chosen beside the settings. */
export interface FetchMiddlewareOptions<E = never> {
  /** What tokens mean, on top of the configured providers; `TokenVerifier.layer` unless given. */
  readonly verifier?: Layer.Layer<TokenVerifier, E, ProviderRegistry | Digest.Digest> | undefined
  /**
   * The scopes that a tool needs beside those that every request needs. A call without them is answered 403
   * `insufficient_scope`; bodies are read for it, at most `max_body_bytes` of them.
   */
  readonly toolScopes?: ToolScopes | undefined
  /** Where refusals and faults are logged: `Logger.layer([Logger.consoleJson])` for one. Effect's default unless given. */
  readonly logger?: Layer.Layer<never> | undefined
}

const sessionField = "mcp-session-id"

/** The request as the handler may see it: the session id is its own, and a body that was read is there again. */
const toHandler = (request: Request, { body, sessionId }: Admitted): Request => {
  if (sessionId === undefined && body === undefined) return request
  const headers = new Headers(request.headers)
  if (sessionId !== undefined) headers.set(sessionField, sessionId)
  return body === undefined
    ? new Request(request, { headers })
    // Not from the old request, whose body is spent.
    : new Request(request.url, { method: request.method, headers, body: body.slice(), signal: request.signal })
}

const withFields = async (response: Response, { answerHeaders }: Admitted): Promise<Response> => {
  const { headers } = response
  const fields = await Effect.runPromise(answerHeaders({
    vary: headers.get("vary") ?? undefined,
    sessionId: headers.get(sessionField) ?? undefined
  }))
  // A new one: the headers of some responses (a `fetch`, a redirect) cannot be changed.
  const answer = new Response(response.body, response)
  for (const [name, value] of Object.entries(fields)) answer.headers.set(name, value)
  return answer
}

/**
 * Makes authentication for web handlers: Hono, a Next.js route, Bun, Deno, Workers, or the official SDK's web transport.
 *
 * Callers without a good token get the gateway's own answers: 401, 403 or 500 with its challenge, the discovery
 * documents, preflights. Throws `InvalidConfiguration`, which lists all problems with their cures, when the settings
 * cannot be used. Nothing is fetched before the first request.
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
export const makeFetchMiddleware = <E = never>(
  config: GatewayConfigInput,
  { logger = Layer.empty, toolScopes, verifier }: FetchMiddlewareOptions<E> = {}
): FetchMiddleware => {
  const settings = Result.getOrThrow(Result.flatMap(resolve(fromInput(config)), embeddable))
  const runtime = ManagedRuntime.make(
    Guard.layer.pipe(
      Layer.provide(layerVerifierWith(verifier ?? TokenVerifier.layer)),
      Layer.provide(Layer.succeed(GatewayConfig, settings)),
      Layer.provideMerge(logger)
    )
  )

  const judge = (request: Request) =>
    Effect.gen(function*() {
      const guard = yield* Guard
      const judged = yield* guard.judge(HttpServerRequest.fromWeb(request), toolScopes)
      return judged._tag === "Admitted"
        ? judged
        : HttpServerResponse.toWeb(judged.response, { withoutBody: request.method === "HEAD" })
    }).pipe(Effect.scoped)

  return {
    protect: (handler) => async (request, ...rest) => {
      const judged = await runtime.runPromise(judge(request), { signal: request.signal })
      if (judged instanceof Response) return judged
      return withFields(await handler(toHandler(request, judged), judged.identity, ...rest), judged)
    },
    dispose: () => runtime.dispose()
  }
}
