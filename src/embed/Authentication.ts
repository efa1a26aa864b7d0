/**
 * Authentication for Effect servers: a route middleware that knows who calls, and the discovery documents beside it.
 */
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { CurrentIdentity } from "../identity/CurrentIdentity.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import type { TokenVerifier } from "../verify/TokenVerifier.ts"
import { type Admitted, Guard } from "./Guard.ts"
import {
  type ChecksOf,
  type ScopesChecked,
  scopesChecked,
  scopesOf,
  type Tools,
  type ToolScopes
} from "./requireToolScopes.ts"

/** The layer's type, written out so that a change of what it needs shows. */
export type AuthenticationLayer<Provides = CurrentIdentity> = Layer.Layer<
  HttpRouter.Request.From<"Requires", Provides>,
  InvalidConfiguration,
  HttpRouter.HttpRouter | GatewayConfig | TokenVerifier | ProviderMetadata
>

const authenticate = (toolScopes?: ToolScopes) =>
  HttpRouter.middleware<{ provides: CurrentIdentity | ScopesChecked<string> }>()(
    Effect.map(Guard, (guard) => (app) =>
      Effect.gen(function*() {
        const judged = yield* guard.judge(yield* HttpServerRequest.HttpServerRequest, toolScopes)
        if (judged._tag === "Answered") return judged.response
        const finish = HttpEffect.appendPreResponseHandler((_, response) => finished(judged, response))
        yield* Effect.annotateCurrentSpan(judged.annotations)
        return yield* app.pipe(
          Effect.annotateLogs(judged.annotations),
          Effect.annotateSpans(judged.annotations),
          Effect.provideService(CurrentIdentity, judged.identity),
          Effect.provideService(scopesChecked<ScopesChecked<string>>(), true),
          Effect.provideService(HttpServerRequest.HttpServerRequest, judged.request),
          // Whatever it ends with becomes an answer further out; and after it, so that ours is the last handler to run.
          Effect.ensuring(finish)
        )
      }))
  ).layer

/** The answer as it leaves: with our fields, and an event stream that does not outlive its right. */
const finished = Effect.fnUntraced(function*(
  { finish }: Admitted,
  response: HttpServerResponse.HttpServerResponse
): Effect.fn.Return<HttpServerResponse.HttpServerResponse> {
  const { body, headers, status } = response
  const { fields, limit } = yield* finish(status, (name) => headers[name])
  const limited = limit === undefined || body._tag !== "Stream"
    ? response
    : HttpServerResponse.setBody(response, HttpBody.stream(limit(body.stream), body.contentType))
  return HttpServerResponse.setHeaders(limited, fields)
})

/** The documents that a router has from us already, by path: several layers may stand behind one router. */
const published = new WeakMap<HttpRouter.HttpRouter, Set<string>>()

const discovery = HttpRouter.use(Effect.fnUntraced(function*(router) {
  const guard = yield* Guard
  const answer = Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    (request) =>
      Effect.map(guard.judge(request), (judged) =>
        // The guard admits nobody to a well-known path.
        judged._tag === "Answered" ? judged.response : HttpServerResponse.empty({ status: 404 }))
  )
  const known = published.get(router) ?? new Set()
  published.set(router, known)
  for (const path of guard.documents) {
    if (known.has(path)) continue
    known.add(path)
    yield* router.add("*", path, answer)
  }
}))

const layerOf = (toolScopes?: ToolScopes) =>
  // Anew for each use: two servers in one program never share a guard.
  Layer.fresh(Layer.merge(authenticate(toolScopes), discovery).pipe(Layer.provide(Guard.layer)))

/**
 * Protects the routes that it is provided to, those of `McpServer.layerHttp` and `layerHttpRequestScoped` for example.
 *
 * Their handlers learn who calls from `CurrentIdentity`; callers without a good token get the gateway's own 401, 403 or
 * 500 with its challenge. Preflights are answered on every method that has a route: those of an MCP server have one. The
 * discovery documents are added to the router. Session ids that the server gives out are bound to their caller, in this
 * process; event streams that only listen end with their token; handlers see neither the token nor fields that claim to say who calls. A
 * route handler, tool, resource or prompt that declares `CurrentIdentity` does not compile without this layer.
 *
 * Settings come from `GatewayConfig`, whose `path` must be the server's; tokens are judged by `TokenVerifier`. Fails
 * with `InvalidConfiguration` where `auth_enabled` is false. Several servers in one router need a path each, and share
 * the documents at the root of the host, which are those of the first.
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
 * The same, and a call of a tool needs the scopes that the tool was given by `requireToolScopes`: without them the
 * response is 403 `insufficient_scope`, its challenge names all that are needed, and no tool runs.
 *
 * Name every toolkit of the server that has such tools; a server whose toolkit is missing here does not compile. Messages
 * are read, at most `max_body_bytes` of them, before the server sees them, so that a batch cannot hide a call; methods
 * other than GET, HEAD, POST and DELETE are rejected.
 *
 * **Example**
 *
 * ```ts
 * import * as Tool from "effect/ai/Tool"
 * import * as Toolkit from "effect/ai/Toolkit"
 * import { Authentication, requireToolScopes } from "mcp-authorizer"
 *
 * const Notes = Toolkit.make(requireToolScopes(Tool.make("delete_note"), ["notes:write"]))
 *
 * const Authenticated = Authentication.layerToolkit(Notes)
 * ```
 */
export const layerToolkit = <const Toolkits extends readonly [Tools, ...ReadonlyArray<Tools>]>(
  ...toolkits: Toolkits
): AuthenticationLayer<CurrentIdentity | ChecksOf<Toolkits[number]>> =>
  // One key stands for all tools: which of them were checked is a matter of types.
  layerOf(scopesOf(toolkits)) as AuthenticationLayer<CurrentIdentity | ChecksOf<Toolkits[number]>>
