/**
 * Authentication for Effect servers: a route middleware that identifies the caller, and the discovery documents.
 */
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { UpstreamUnavailable } from "../errors/GatewayError.ts"
import type { UpstreamBody } from "../forward/GatewayClient.ts"
import { CurrentIdentity } from "../identity/CurrentIdentity.ts"
import type { Identity } from "../identity/Identity.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import type { TokenVerifier } from "../verify/TokenVerifier.ts"
import { type Admitted, Guard } from "./Guard.ts"
import {
  type ChecksOf,
  type KnownToolScopes,
  type ScopesChecked,
  scopesChecked,
  toolkitScopes,
  type Tools,
  type ToolScopes
} from "./requireToolScopes.ts"

/** The layer's type, written out so that a change of its requirements is visible. */
export type AuthenticationLayer<Provides = CurrentIdentity> = Layer.Layer<
  HttpRouter.Request.From<"Requires", Provides>,
  InvalidConfiguration,
  HttpRouter.HttpRouter | GatewayConfig | TokenVerifier | ProviderMetadata
>

/**
 * Provides the caller. A request without a token, which rules may permit, has no caller: a handler that requires
 * `CurrentIdentity` then fails, and the response is 500.
 */
const provideCaller =
  (identity: Identity | undefined) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, CurrentIdentity>> =>
    identity === undefined
      // The service is missing at run time, which the type cannot express.
      // @effect-diagnostics-next-line unsafeEffectTypeAssertion:off
      ? self as Effect.Effect<A, E, Exclude<R, CurrentIdentity>>
      : Effect.provideService(self, CurrentIdentity, identity)

const authenticate = (toolScopes?: ToolScopes) =>
  HttpRouter.middleware<{ provides: CurrentIdentity | ScopesChecked<string> }>()(
    Effect.map(Guard, (guard) => (app) =>
      Effect.gen(function*() {
        const result = yield* guard.admit(yield* HttpServerRequest.HttpServerRequest, toolScopes)
        if (result._tag === "Responded") return result.response
        const finish = HttpEffect.appendPreResponseHandler((_, response) => finished(result, response))
        yield* Effect.annotateCurrentSpan(result.annotations)
        return yield* app.pipe(
          Effect.annotateLogs(result.annotations),
          Effect.annotateSpans(result.annotations),
          provideCaller(result.identity),
          Effect.provideService(scopesChecked<ScopesChecked<string>>(), true),
          Effect.provideService(HttpServerRequest.HttpServerRequest, result.request),
          // Around the handler, so that its failure is already a response, and so that this handler runs last.
          Effect.ensuring(finish)
        )
      }))
  ).layer

/** A handler's stream failed. */
const brokenOff = (cause: unknown): UpstreamUnavailable =>
  new UpstreamUnavailable({ detail: "the handler's response broke off", cause })

/** The body of a response, to be read. */
const bodyOf = (response: HttpServerResponse.HttpServerResponse): UpstreamBody => {
  const { body } = response
  switch (body._tag) {
    case "Empty":
      return { _tag: "Empty" }
    case "Uint8Array":
      return { _tag: "Bytes", bytes: body.body }
    case "Stream":
      return { _tag: "Stream", stream: Stream.mapError(body.stream, brokenOff) }
    default: {
      const stream = HttpServerResponse.toWeb(response).body
      return stream === null
        ? { _tag: "Empty" }
        : { _tag: "Stream", stream: Stream.fromReadableStream({ evaluate: () => stream, onError: brokenOff }) }
    }
  }
}

const withBody = (
  response: HttpServerResponse.HttpServerResponse,
  body: UpstreamBody
): HttpServerResponse.HttpServerResponse => {
  const type = response.headers["content-type"] ?? ""
  const plain = HttpServerResponse.removeHeader(response, "content-length")
  switch (body._tag) {
    case "Empty":
      return response
    case "Bytes":
      return HttpServerResponse.setBody(plain, HttpBody.uint8Array(body.bytes, type))
    case "Stream":
      return HttpServerResponse.setBody(plain, HttpBody.stream(body.stream, type))
  }
}

/** The final response: its lists filtered, with the gateway's fields, and an event stream that ends with its token. */
const finished = Effect.fnUntraced(function*(
  { finish }: Admitted<Identity | undefined>,
  response: HttpServerResponse.HttpServerResponse
): Effect.fn.Return<HttpServerResponse.HttpServerResponse> {
  const { headers, status } = response
  const { fields, limit, lists } = yield* finish(status, (name) => headers[name])
  const filtered = lists === undefined ? undefined : yield* lists(bodyOf(response))
  if (filtered?._tag === "Responded") return filtered.response
  const changed = filtered === undefined ? response : withBody(response, filtered.body)
  const { body } = changed
  const limited = limit === undefined || body._tag !== "Stream"
    ? changed
    : HttpServerResponse.setBody(changed, HttpBody.stream(limit(body.stream), body.contentType))
  return HttpServerResponse.setHeaders(limited, fields)
})

/** The paths of the documents that a router already has: several layers may use the same router. */
const published = new WeakMap<HttpRouter.HttpRouter, Set<string>>()

const discovery = HttpRouter.use(Effect.fnUntraced(function*(router) {
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
}))

const layerOf = (toolScopes?: KnownToolScopes) =>
  // Built anew for each use, so that two servers in one program never share a guard.
  Layer.fresh(
    Layer.merge(authenticate(toolScopes?.scopesOf), discovery).pipe(
      Layer.provide(Guard.layerWithScopes(toolScopes?.all ?? []))
    )
  )

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
 * The same, and a call of a tool requires the scopes that `requireToolScopes` has added to the tool. Without them the
 * response is 403 `insufficient_scope`, its challenge names all required scopes, and no tool runs.
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
  // One key represents all tools: types track which of them are checked.
  layerOf(toolkitScopes(toolkits)) as AuthenticationLayer<CurrentIdentity | ChecksOf<Toolkits[number]>>
