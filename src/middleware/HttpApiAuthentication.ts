import * as Effect from "effect/Effect"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as Headers from "effect/http/Headers"
import * as HttpEffect from "effect/http/HttpEffect"
import type * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { discovery } from "../embed/Authentication.ts"
import { Guard } from "../embed/Guard.ts"
import { serveAdmitted } from "../embed/serveAdmitted.ts"
import type { CurrentIdentity } from "../identity/CurrentIdentity.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import type { TokenVerifier } from "../verify/TokenVerifier.ts"
import { authErrorOf, CannotVerify, Forbidden, Unauthorized } from "./AuthErrors.ts"

export { type AuthError, CannotVerify, Forbidden, Unauthorized } from "./AuthErrors.ts"

/** The fields of a response that are not about its body. */
const withoutBody = (headers: Headers.Headers): Headers.Headers =>
  Headers.removeMany(headers, ["content-length", "content-type"])

/**
 * Authentication for an `HttpApi`: endpoints get the caller from `CurrentIdentity`, and the errors are part of the
 * API's schema, for clients and OpenAPI.
 *
 * Add it to an API, a group or an endpoint with `.middleware(HttpApiAuthentication)`, and provide `layer`, which also
 * adds the discovery documents to the router. Handlers behind it may use `CurrentIdentity`; without it they do not
 * compile. Callers without a valid token get `Unauthorized`, `Forbidden` or `CannotVerify`, with the gateway's own
 * challenge and texts. Requests with other problems (a body that is too large, a session of another caller) get the
 * gateway's own response.
 *
 * The middleware handles only requests for endpoints of the API; preflights of browsers have no endpoint. Rules and
 * sessions work as in `Authentication.layer`.
 *
 * **Example**
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpApi from "effect/http-api/HttpApi"
 * import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 * import { CurrentIdentity, GatewayConfig, layerVerifier } from "mcp-authorizer"
 * import { HttpApiAuthentication } from "mcp-authorizer/middleware/HttpApiAuthentication"
 *
 * const Notes = HttpApi.make("notes").add(
 *   HttpApiGroup.make("me")
 *     .add(HttpApiEndpoint.get("whoami", "/whoami", { success: Schema.String }))
 *     .middleware(HttpApiAuthentication)
 * )
 *
 * const Me = HttpApiBuilder.group(Notes, "me", (handlers) =>
 *   handlers.handle("whoami", () => Effect.map(CurrentIdentity, ({ subject }) => subject)))
 *
 * export const Server = HttpApiBuilder.layer(Notes).pipe(
 *   Layer.provide(Me),
 *   Layer.provide(HttpApiAuthentication.layer),
 *   Layer.provide(layerVerifier),
 *   Layer.provide(GatewayConfig.layer({
 *     jwt_issuer: "https://issuer.example.com",
 *     jwt_audience: "auto",
 *     public_url: "https://notes.example.com"
 *   }))
 * )
 * ```
 *
 * @see RFC 6750; RFC 9728
 */
export class HttpApiAuthentication
  extends HttpApiMiddleware.Service<HttpApiAuthentication, { provides: CurrentIdentity }>()(
    "mcp-authorizer/middleware/HttpApiAuthentication",
    { error: [Unauthorized, Forbidden, CannotVerify], security: { bearer: HttpApiSecurity.bearer } }
  )
{
  /** Verifies callers by the settings, and adds the discovery documents to the router. */
  static readonly layer: Layer.Layer<
    HttpApiAuthentication,
    InvalidConfiguration,
    HttpRouter.HttpRouter | GatewayConfig | TokenVerifier | ProviderMetadata
  > = Layer.fresh(
    Layer.merge(
      Layer.effect(
        HttpApiAuthentication,
        Effect.map(Guard, ({ check }) => ({
          // The guard reads the field itself, because it must reject a request with two of them.
          bearer: (handler) =>
            Effect.gen(function*() {
              const result = yield* check(yield* HttpServerRequest.HttpServerRequest)
              if (result._tag === "Admitted") return yield* serveAdmitted(result, handler)
              const { error, response } = result
              const typed = error && authErrorOf(error)
              if (typed === undefined) return response
              yield* HttpEffect.appendPreResponseHandler((_, own) =>
                Effect.succeed(HttpServerResponse.setHeaders(own, withoutBody(response.headers)))
              )
              return yield* typed
            })
        }))
      ),
      discovery
    ).pipe(Layer.provide(Guard.layer))
  )
}
