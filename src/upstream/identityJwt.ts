import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { IdentityJwtAuth } from "../config/UpstreamAuth.ts"
import type { Identity } from "../identity/Identity.ts"
import type { SigningKey } from "../keys/signingKeys.ts"
import { makeRecentlyUsed } from "../verify/recentlyUsed.ts"
import { identityClaims, tokenTimes } from "./identityClaims.ts"
import type { UpstreamAuthorizer } from "./UpstreamAuthorizer.ts"
import { fieldsWithoutCaller, tokenField, type UpstreamFields } from "./UpstreamFields.ts"

/** How many tokens are cached in addition to those of the identities in the cache of verified tokens. */
const capacity = 4_096

interface Signed {
  readonly fields: UpstreamFields
  /** Milliseconds since 1970. */
  readonly sentUntil: number
}

/**
 * Builds the authorizer that signs a JWT for each caller.
 *
 * A token is cached until shortly before it expires: under the identity object, which all requests with one verified
 * token share, and under its claims, for verifiers that return a new identity object each time.
 */
export const makeIdentityJwt = Effect.fnUntraced(function*(
  settings: GatewaySettings,
  auth: IdentityJwtAuth,
  key: SigningKey
): Effect.fn.Return<UpstreamAuthorizer, never, SecureRandom.SecureRandom> {
  const clock = yield* Clock.Clock
  const random = yield* SecureRandom.SecureRandom
  const byIdentity = new WeakMap<Identity, Signed>()
  const byContent = makeRecentlyUsed<Signed>(capacity)

  const usable = (signed: Signed | undefined): UpstreamFields | undefined =>
    signed !== undefined && clock.currentTimeMillisUnsafe() < signed.sentUntil ? signed.fields : undefined

  const sign = Effect.fnUntraced(function*(identity: Identity) {
    const claims = identityClaims(settings, auth, identity)
    const content = JSON.stringify([claims, identity.expiresAt])
    const known = byContent.get(content)
    const fields = usable(known)
    if (known !== undefined && fields !== undefined) {
      byIdentity.set(identity, known)
      return fields
    }
    const times = tokenTimes(identity.expiresAt, clock.currentTimeMillisUnsafe())
    const jti = Base64Url.encode(yield* Effect.orDie(random.randomBytes(16)))
    // Cannot fail: the key was tried at start.
    const token = yield* Effect.promise(() => key.sign({ ...claims, ...times.claims, jti }, auth.typ))
    const signed: Signed = { fields: tokenField(auth.field, token), sentUntil: times.sentUntil }
    byIdentity.set(identity, signed)
    byContent.set(content, signed)
    return signed.fields
  })

  return {
    peek: ({ identity }) => identity === undefined ? fieldsWithoutCaller : usable(byIdentity.get(identity)),
    authorize: ({ identity }) => identity === undefined ? Effect.succeed(fieldsWithoutCaller) : sign(identity)
  }
})
