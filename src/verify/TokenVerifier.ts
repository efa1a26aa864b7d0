import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { BearerToken } from "../credential/BearerToken.ts"
import type { VerificationError } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"

/**
 * Says who bears a token, or why it is refused.
 *
 * A refusal (`InvalidToken`) is final. `ProviderUnavailable` means that nobody can say now, which is never the
 * caller's fault.
 */
export class TokenVerifier extends Context.Service<TokenVerifier, {
  readonly verify: (token: BearerToken) => Effect.Effect<Identity, VerificationError>
}>()("mcp-authorizer/verify/TokenVerifier") {}
