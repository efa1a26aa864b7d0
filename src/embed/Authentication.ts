/** Authentication for Effect servers: a route middleware that identifies the caller, and the discovery documents. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import type { OnError } from "../http/errorResponse.ts"
import type { CurrentIdentity } from "../identity/CurrentIdentity.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { makeDecodeClaims } from "../verify/claims/typedClaims.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import type { ClaimsService } from "./CurrentClaims.ts"
import { Guard } from "./Guard.ts"
import {
  type ChecksOf,
  type KnownToolScopes,
  type ScopesChecked,
  scopesChecked,
  toolkitScopes,
  type Tools,
  type ToolScopes
} from "./requireToolScopes.ts"
import { serveAdmitted } from "./serveAdmitted.ts"

/** Any service that `CurrentClaims` declares. */
export type AnyClaims = Context.Key<unknown, unknown> & Pick<ClaimsService<unknown, string, unknown>, "schema">

/** The type of the layer, written out so that a change of its requirements is noticed. */
export type AuthenticationLayer<Provides = CurrentIdentity> = Layer.Layer<
  HttpRouter.Request.From<"Requires", Provides>,
  InvalidConfiguration,
  HttpRouter.HttpRouter | GatewayConfig | TokenVerifier | ProviderMetadata
>

const authenticate = (toolScopes: ToolScopes | undefined, claims: AnyClaims | undefined) =>
  HttpRouter.middleware<{ provides: CurrentIdentity | ScopesChecked<string> }>()(
    Effect.map(Guard, (guard) => {
      const decode = claims && makeDecodeClaims(claims.schema)
      return (app) =>
        Effect.gen(function*() {
          const result = yield* guard.admit(yield* HttpServerRequest.HttpServerRequest, toolScopes)
          if (result._tag === "Responded") return result.response
          const { identity } = result
          const handler = Effect.provideService(app, scopesChecked<ScopesChecked<string>>(), true)
          // The claims are decoded for each request, so that handlers do not share an object. They match, because the
          // verifier has accepted them.
          return yield* serveAdmitted(
            result,
            claims === undefined || decode === undefined || identity === undefined
              ? handler
              : Effect.provideService(handler, claims, yield* Effect.orDie(Effect.fromResult(decode(identity))))
          )
        })
    })
  ).layer

/** The paths of documents that a router already has, because several layers may use the same router. */
const published = new WeakMap<HttpRouter.HttpRouter, Set<string>>()

export const discovery: Layer.Layer<never, never, Guard | HttpRouter.HttpRouter> = HttpRouter.use(
  Effect.fnUntraced(function*(router) {
    const guard = yield* Guard
    const respond = Effect.flatMap(
      HttpServerRequest.HttpServerRequest,
      (request) =>
        Effect.map(guard.check(request), (result) =>
          // The guard admits no request to a well-known path.
          result._tag === "Responded" ? result.response : HttpServerResponse.empty({ status: 404 }))
    )
    const known = published.get(router) ?? new Set()
    published.set(router, known)
    for (const path of guard.documents) {
      if (known.has(path)) continue
      known.add(path)
      yield* router.add("*", path, respond)
    }
  })
)

const layerOf = (toolScopes?: KnownToolScopes, claims?: AnyClaims, onError?: OnError) => {
  const guard = Guard.layerWith({ toolScopes: toolScopes?.all, onError })
  // Built afresh for each use, so that two servers in one program never share a guard.
  return Layer.fresh(
    Layer.merge(authenticate(toolScopes?.scopesOf, claims), discovery).pipe(
      Layer.provide(claims === undefined ? guard : Layer.provide(guard, TokenVerifier.layerClaims(claims.schema)))
    )
  )
}

/**
 * Protects the routes that it is provided to, such as those of `McpServer.layerHttp` and `layerHttpRequestScoped`.
 *
 * Handlers get the caller from `CurrentIdentity`. Callers without a valid token get the gateway's own 401, 403 or 500
 * with its challenge. The layer responds to preflights for every method that has a route, as those of an MCP server do,
 * and adds the discovery documents to the router. Session ids from the server are bound to their caller, in this process.
 * Event streams that only listen end with their token. Handlers see neither the token nor fields that claim an identity.
 * A route handler, tool, resource or prompt that declares `CurrentIdentity` does not compile without this layer.
 *
 * Settings come from `GatewayConfig`, whose `path` must be the server's. `TokenVerifier` verifies tokens. Fails with
 * `InvalidConfiguration` if `auth_enabled` is false. Requests that `rules` permit to anyone need no token; a handler that
 * requires `CurrentIdentity` then results in 500, because there is no caller. Several servers in one router need
 * different paths, and share the documents at the root of the host, which are those of the first server.
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
 * Like `layer`. In addition, a call of a tool requires the scopes that `requireToolScopes` has added to the tool.
 * Without them the response is 403 `insufficient_scope`, its challenge names all required scopes, and no tool runs.
 *
 * Pass every toolkit of the server that has such tools. A server whose toolkit is missing here does not compile. Messages
 * are read before the server gets them, at most `max_body_bytes`, so that a batch cannot hide a call. Methods other than
 * GET, HEAD, POST and DELETE are rejected.
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
  // One key represents all tools: the types track which of them are checked.
  layerOf(toolkitScopes(toolkits)) as AuthenticationLayer<CurrentIdentity | ChecksOf<Toolkits[number]>>

/** The options of `layerWith`. */
export interface AuthenticationOptions<
  Toolkits extends ReadonlyArray<Tools> = ReadonlyArray<Tools>,
  Claims extends AnyClaims = AnyClaims
> {
  /** The toolkits of the server whose tools have scopes, as for `layerToolkit`. */
  readonly toolkits?: Toolkits | undefined
  /** The claims that handlers rely on, from `CurrentClaims`. */
  readonly claims?: Claims | undefined
  /**
   * Changes the response to a rejected request, given its typed error (`GatewayError`). An exception in it is a fault:
   * 500.
   */
  readonly onError?: OnError | undefined
}

/**
 * Like `layer` and `layerToolkit`. In addition, handlers get the claims of their caller in the shape that the program
 * declares.
 *
 * **Example**
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpRouter from "effect/http/HttpRouter"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 * import { Authentication, CurrentClaims } from "mcp-authorizer"
 *
 * class StaffClaims extends CurrentClaims<StaffClaims>()("StaffClaims", Schema.Struct({ department: Schema.String })) {}
 *
 * const Route = HttpRouter.add(
 *   "GET",
 *   "/department",
 *   Effect.map(StaffClaims, ({ department }) => HttpServerResponse.text(department))
 * ).pipe(Layer.provide(Authentication.layerWith({ claims: StaffClaims })))
 * ```
 *
 * @see `CurrentClaims`
 */
export const layerWith = <
  const Toolkits extends ReadonlyArray<Tools> = readonly [],
  Claims extends AnyClaims = never
>(
  { claims, onError, toolkits }: AuthenticationOptions<Toolkits, Claims>
): AuthenticationLayer<CurrentIdentity | ChecksOf<Toolkits[number]> | Context.Service.Identifier<Claims>> =>
  // One key represents all tools, and only the type knows the service of the claims.
  layerOf(toolkits === undefined ? undefined : toolkitScopes(toolkits), claims, onError) as AuthenticationLayer<
    CurrentIdentity | ChecksOf<Toolkits[number]> | Context.Service.Identifier<Claims>
  >
