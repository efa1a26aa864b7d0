import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RpcMiddleware from "effect/rpc/RpcMiddleware"
import * as Schema from "effect/Schema"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { logWarnings } from "../config/warnings.ts"
import { embeddable } from "../embed/embeddable.ts"
import { frozen } from "../embed/frozen.ts"
import { verifyPresented } from "../embed/verifyPresented.ts"
import { rejectionFields } from "../http/accessLog.ts"
import { CurrentIdentity } from "../identity/CurrentIdentity.ts"
import { annotate } from "../log/logFields.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import { authErrorOf, CannotVerify, Forbidden, Unauthorized } from "./AuthErrors.ts"

export { type AuthError, CannotVerify, Forbidden, Unauthorized } from "./AuthErrors.ts"

/**
 * Authentication for Effect RPC: handlers get the caller of each call from `CurrentIdentity`, and rejected callers get
 * errors that their clients can decode.
 *
 * Add it to an RPC or a group with `.middleware(RpcAuthentication)`, and provide `layer` to the server of the handlers.
 * The token is taken from the field `authorization` of the call, or of the HTTP request or WebSocket that carries the
 * call; clients set it with `RpcClient.withHeaders`. Scopes and lists of allowed callers apply to every call. Rules
 * about MCP messages, sessions and rate limits do not apply to RPC, and discovery documents are left to HTTP servers.
 *
 * **Example**
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Rpc from "effect/rpc/Rpc"
 * import * as RpcGroup from "effect/rpc/RpcGroup"
 * import * as Schema from "effect/Schema"
 * import { CurrentIdentity } from "mcp-authorizer"
 * import { RpcAuthentication } from "mcp-authorizer/middleware/RpcAuthentication"
 *
 * const Notes = RpcGroup.make(Rpc.make("whoami", { success: Schema.String })).middleware(RpcAuthentication)
 *
 * const Handlers = Notes.toLayer({ whoami: () => Effect.map(CurrentIdentity, ({ subject }) => subject) })
 * ```
 *
 * @see RFC 6750
 */
export class RpcAuthentication extends RpcMiddleware.Service<RpcAuthentication, { provides: CurrentIdentity }>()(
  "mcp-authorizer/middleware/RpcAuthentication",
  { error: Schema.Union([Unauthorized, Forbidden, CannotVerify]) }
) {
  /** Verifies callers by the settings. */
  static readonly layer: Layer.Layer<RpcAuthentication, InvalidConfiguration, GatewayConfig | TokenVerifier> = Layer
    .fresh(Layer.effect(
      RpcAuthentication,
      Effect.gen(function*() {
        const settings = yield* Effect.fromResult(embeddable(yield* GatewayConfig))
        const verifier = yield* TokenVerifier
        yield* logWarnings(settings)
        return RpcAuthentication.of((handler, { headers }) => {
          const presented = headers[settings.tokenHeader]
          return verifyPresented(presented === undefined ? [] : [presented], settings, settings.maxTokenBytes).pipe(
            Effect.provideService(TokenVerifier, verifier),
            Effect.tapError((error) => Effect.logInfo("token not accepted").pipe(annotate(rejectionFields(error)))),
            // A token that is too long, or malformed, is rejected.
            Effect.mapError((error) =>
              authErrorOf(error) ?? new Unauthorized({ error: "invalid_token", error_description: "Invalid token" })
            ),
            Effect.flatMap(({ identity }) => Effect.provideService(handler, CurrentIdentity, frozen(identity)))
          )
        })
      })
    ))
}
