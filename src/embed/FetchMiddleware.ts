import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { GatewayConfig, type GatewayConfigOptions } from "../config/GatewayConfig.ts"
import type { GatewayConfigInput } from "../config/GatewayConfigInput.ts"
import type { Identity } from "../identity/Identity.ts"
import type { ProviderType } from "../providers/ProviderType.ts"
import type { Verification } from "../verify/layers.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { embeddableSettings } from "./embeddable.ts"
import { type Admitted, type Finish, Guard } from "./Guard.ts"
import { layerVerifierWith } from "./layers.ts"
import { makeRuntime } from "./makeRuntime.ts"
import type { ToolScopes } from "./requireToolScopes.ts"

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
   * The wrapped handler answers preflights and the discovery documents, so hand it those paths, too; other paths below
   * `/.well-known/` are answered 404, and all the rest is protected. The handler gets a plain `Request` without the token;
   * one that throws makes it reject. An event stream that only listens ends with its token.
   */
  readonly protect: <Rest extends ReadonlyArray<unknown>>(
    handler: IdentifiedHandler<Rest>
  ) => (request: Request, ...rest: Rest) => Promise<Response>
  /** Stops what runs in the background; requests afterwards reject. Every call gives the same promise. */
  readonly dispose: () => Promise<void>
}

/** A handler's stream broke off; the client sees only that. */
class BrokenOff extends Data.TaggedError("BrokenOff")<{ readonly cause: unknown }> {}

/** What can be chosen beside the settings. */
export interface FetchMiddlewareOptions<
  E = never,
  Types extends ReadonlyArray<ProviderType> = ReadonlyArray<ProviderType>
> extends GatewayConfigOptions<Types> {
  /** What tokens mean, on top of the configured providers; `TokenVerifier.layer` unless given. */
  readonly verifier?: Verification<E> | undefined
  /**
   * The scopes that a tool needs beside those that every request needs. A call without them is answered 403
   * `insufficient_scope`; bodies are read for it, at most `max_body_bytes` of them.
   */
  readonly toolScopes?: ToolScopes | undefined
  /** Where refusals and faults are logged: `Logger.layer([Logger.consoleJson])` for one. Effect's default unless given. */
  readonly logger?: Layer.Layer<never> | undefined
}

/** The request as the handler may see it: the fields that are handed on, and a body that was read is there again. */
const toHandler = (request: Request, { body, request: { headers } }: Admitted): Request =>
  new Request(request, { headers: { ...headers }, ...(body === undefined ? {} : { body: body.slice() }) })

/** A body that does not outlive its right. */
const limited = (body: ReadableStream<Uint8Array>, limit: NonNullable<Finish["limit"]>): ReadableStream<Uint8Array> =>
  Stream.toReadableStream(
    limit(Stream.fromReadableStream<Uint8Array, BrokenOff>({
      evaluate: () => body,
      onError: (cause) => new BrokenOff({ cause })
    }))
  )

const finished = async (response: Response, { finish }: Admitted): Promise<Response> => {
  // `Response.error()`, and a connection that has been upgraded, are no answers that could be changed.
  if (response.status < 200) return response
  const { body, headers } = response
  const { fields, limit } = await Effect.runPromise(
    finish(response.status, (name) => headers.get(name) ?? undefined)
  )
  // A new one: the headers of some responses (a `fetch`, a redirect) cannot be changed.
  const answer = new Response(
    limit === undefined || body === null ? body : limited(body, limit),
    response
  )
  for (const [name, value] of Object.entries(fields)) answer.headers.set(name, value)
  return answer
}

/**
 * Makes authentication for web handlers: Hono, a Next.js route, Bun, Deno, Workers, or the official SDK's web transport.
 *
 * Callers without a good token get the gateway's own answers: 401, 403 or 500 with its challenge, the discovery
 * documents, preflights. Throws `InvalidConfiguration`, which lists all problems with their cures, when the settings
 * cannot be used. Nothing is fetched before the first request; a verifier that cannot be built then is logged, and makes
 * every request reject. `path` of the settings must be that of the server. Browsers may call from loopback origins unless
 * `allowed_origins` says otherwise.
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
  { logger, toolScopes, types, verifier }: FetchMiddlewareOptions<E, Types> = {}
): FetchMiddleware => {
  const settings = embeddableSettings(config, types)
  let disposed: Promise<void> | undefined
  const runtime = makeRuntime(
    Guard.layer.pipe(
      Layer.provide(layerVerifierWith(verifier ?? TokenVerifier.layer)),
      Layer.provide(Layer.succeed(GatewayConfig, settings))
    ),
    logger
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
      return finished(await handler(toHandler(request, judged), judged.identity, ...rest), judged)
    },
    dispose: () => disposed ??= runtime.dispose()
  }
}
