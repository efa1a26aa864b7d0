/**
 * Authentication for Effect servers: a route middleware that knows who calls, and the discovery documents beside it.
 */
import type * as Tool from "effect/ai/Tool"
import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { CurrentIdentity } from "../identity/CurrentIdentity.ts"
import type { ProviderMetadata } from "../keys/ProviderMetadata.ts"
import type { TokenVerifier } from "../verify/TokenVerifier.ts"
import { Guard } from "./Guard.ts"
import { scopesOf, type ToolScopes } from "./RequiredScopes.ts"

/** The layer's type, written out so that a change of what it needs shows. */
export type AuthenticationLayer = Layer.Layer<
  HttpRouter.Request<"Requires", CurrentIdentity>,
  InvalidConfiguration,
  HttpRouter.HttpRouter | GatewayConfig | TokenVerifier | ProviderMetadata | Digest.Digest
>

const authenticate = (toolScopes?: ToolScopes) =>
  HttpRouter.middleware<{ provides: CurrentIdentity }>()(
    Effect.map(Guard, (guard) => (app) =>
      Effect.gen(function*() {
        const judged = yield* guard.judge(yield* HttpServerRequest.HttpServerRequest, toolScopes)
        if (judged._tag === "Answered") return judged.response
        const finish = HttpEffect.appendPreResponseHandler((_, response) =>
          Effect.map(
            judged.answerHeaders({ vary: response.headers["vary"], sessionId: response.headers["mcp-session-id"] }),
            (headers) => HttpServerResponse.setHeaders(response, headers)
          )
        )
        return yield* app.pipe(
          Effect.provideService(CurrentIdentity, judged.identity),
          Effect.provideService(HttpServerRequest.HttpServerRequest, judged.request),
          // Whatever it ends with becomes an answer further out; and after it, so that ours is the last handler to run.
          Effect.ensuring(finish)
        )
      }))
  ).layer

const documents = [
  "/.well-known/oauth-protected-resource",
  "/.well-known/oauth-authorization-server",
  "/.well-known/openid-configuration"
] as const

const discovery = HttpRouter.use(Effect.fnUntraced(function*(router) {
  const guard = yield* Guard
  const answer = Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    (request) =>
      Effect.map(guard.judge(request), (judged) =>
        // The guard admits nobody to a well-known path.
        judged._tag === "Answered" ? judged.response : HttpServerResponse.empty({ status: 404 }))
  )
  for (const path of documents) yield* router.add("*", `${path}/*`, answer)
}))

const layerOf = (toolScopes?: ToolScopes): AuthenticationLayer =>
  Layer.merge(authenticate(toolScopes), discovery).pipe(Layer.provide(Guard.layer))

/**
 * Protects the routes that it is provided to, those of `McpServer.layerHttp` and `layerHttpRequestScoped` for example.
 *
 * Their handlers learn who calls from `CurrentIdentity`; callers without a good token get the gateway's own 401, 403 or
 * 500 with its challenge, and preflights are answered. The discovery documents are added to the router. Session ids
 * that the server gives out are bound to their caller. A route handler, tool, resource or prompt that declares
 * `CurrentIdentity` does not compile without this layer.
 *
 * Settings come from `GatewayConfig`, whose `path` must be the server's; tokens are judged by `TokenVerifier`. Fails
 * with `InvalidConfiguration` where `auth_enabled` is false.
 *
 * **Example**
 *
 * ```ts
 * import * as McpProtocol from "effect/ai/McpProtocol"
 * import * as McpServer from "effect/ai/McpServer"
 * import * as Layer from "effect/Layer"
 * import { Authentication, GatewayConfig, layerVerifier } from "mcp-authorizer"
 *
 * const Server = McpServer.layerHttp({
 *   name: "notes",
 *   version: "1.0.0",
 *   path: "/mcp",
 *   protocols: [McpProtocol.v2025_11_25]
 * }).pipe(
 *   Layer.provide(Authentication.layer),
 *   Layer.provide(layerVerifier),
 *   Layer.provide(GatewayConfig.layer({ jwt_issuer: "https://issuer.example.com", jwt_audience: "auto",
 *     public_url: "https://notes.example.com" }))
 * )
 * ```
 *
 * @see MCP 2025-11-25, authorization; RFC 9728; RFC 6750
 */
export const layer: AuthenticationLayer = layerOf()

/**
 * The same, and a call of a tool needs the scopes that the tool is annotated with (`RequiredScopes`): without them it
 * is answered 403 `insufficient_scope`, the challenge naming all that are needed, and no tool runs.
 *
 * Messages are read, at most `max_body_bytes` of them, before the server sees them, so that a batch cannot hide a call.
 * Keep the layer in a `const`: each call makes another.
 */
export const layerToolkit = (
  ...toolkits: ReadonlyArray<{ readonly tools: Readonly<Record<string, Tool.Any>> }>
): AuthenticationLayer => layerOf(scopesOf(toolkits))
