import * as Effect from "effect/Effect"
import { type AllowLists, requireListed } from "../authorize/requireListed.ts"
import { requireScopes, type Scoped } from "../authorize/requireScopes.ts"
import type { BearerToken } from "../credential/BearerToken.ts"
import { parseAuthorization } from "../credential/parseAuthorization.ts"
import type { Identity } from "../identity/Identity.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"
import type { TokenError } from "./oauthTokenErrors.ts"

/** The requirements of the settings on every caller. */
export type Demands = Scoped & AllowLists

/** A caller whose token was verified. */
export interface Presented {
  readonly token: BearerToken
  readonly identity: Identity
}

/**
 * Verifies a token that did not arrive in a request that `Guard` could check, and the requirements of the settings on
 * its caller.
 *
 * @param authorization the lines of the `Authorization` field
 * @param maxTokenBytes the maximum length of a token
 */
export const verifyPresented = Effect.fnUntraced(function*(
  authorization: ReadonlyArray<string>,
  demands: Demands,
  maxTokenBytes: number
): Effect.fn.Return<Presented, TokenError, TokenVerifier> {
  const { verify } = yield* TokenVerifier
  const token = yield* Effect.fromResult(parseAuthorization({ authorization, query: "" }, maxTokenBytes))
  const identity = yield* verify(token)
  yield* Effect.fromResult(requireListed(demands, identity))
  yield* Effect.fromResult(requireScopes(demands, identity))
  return { token, identity }
})
