/** What represents a token wherever one is cached or compared: its SHA-256, in hexadecimal. */
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import type { Identity } from "../identity/Identity.ts"

/**
 * The SHA-256 of a text's UTF-8 bytes in lower-case hexadecimal, on hosts that can compute it synchronously.
 *
 * With it, verified tokens are found without waiting. `undefined`: only the `Digest` service is available.
 */
export const Sha256 = Context.Reference<((text: string) => string) | undefined>(
  "mcp-authorizer/verify/tokenDigest/Sha256",
  { defaultValue: () => undefined }
)

const encoder = new TextEncoder()

/** Returns the digest of a token, computed by the fastest means of the host. */
export const makeTokenDigest = Effect.gen(function*() {
  const { digestHex } = yield* Digest.Digest
  const sha256 = yield* Sha256
  return sha256 === undefined
    ? (token: string): Effect.Effect<string> => digestHex(Digest.sha256, encoder.encode(token))
    : (token: string): Effect.Effect<string> => Effect.succeed(sha256(token))
})

const digests = new WeakMap<Identity, string>()

/**
 * Returns an identity that belongs to one token alone, whose digest `notedDigest` returns.
 *
 * Two tokens of one caller may have the same identity otherwise, where a provider of a program's own caches it.
 */
export const withDigest = (identity: Identity, digest: string): Identity => {
  const own = { ...identity }
  digests.set(own, digest)
  return own
}

/** Returns the digest of the token that an identity belongs to; `undefined` for identities that others have made. */
export const notedDigest = (identity: Identity): string | undefined => digests.get(identity)
