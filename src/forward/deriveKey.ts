import * as Mac from "effect/crypto/Mac"
import * as Effect from "effect/Effect"

const encoder = new TextEncoder()

/**
 * Derives the 32 bytes of a key for one purpose from a secret: HKDF with one block of output and no salt (RFC 5869),
 * which some engines do not provide.
 *
 * @param purpose distinguishes the key from those for other purposes
 */
export const deriveBytes = Effect.fnUntraced(function*(mac: Mac.Mac["Service"], secret: Uint8Array, purpose: string) {
  const extracted = yield* mac.sign(yield* Mac.key(Mac.hmacSha256, new Uint8Array(32)), secret)
  const info = encoder.encode(`${purpose}\u0001`)
  return yield* mac.sign(yield* Mac.key(Mac.hmacSha256, extracted), info)
})

/** Like `deriveBytes`, imported as a key for HMAC-SHA-256. */
export const deriveKey = Effect.fnUntraced(function*(mac: Mac.Mac["Service"], secret: Uint8Array, purpose: string) {
  return yield* Mac.key(Mac.hmacSha256, yield* deriveBytes(mac, secret, purpose))
})
