/** The SHA-256 of a token in hexadecimal, which represents the token in caches and comparisons. */
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import type { Identity } from "../identity/Identity.ts"

/**
 * Computes the SHA-256 of a text's UTF-8 bytes in lower-case hexadecimal; `undefined` on hosts that cannot do so
 * synchronously.
 *
 * With it, verified tokens are found without waiting. Without it, the `Digest` service is used.
 */
export const Sha256 = Context.Reference<((text: string) => string) | undefined>(
  "mcp-authorizer/verify/tokenDigest/Sha256",
  { defaultValue: () => undefined }
)

const encoder = new TextEncoder()

/** Builds the function that returns the digest of a token, by the fastest means of the host. */
export const makeTokenDigest = Effect.gen(function*() {
  const { digestHex } = yield* Digest.Digest
  const sha256 = yield* Sha256
  return sha256 === undefined
    ? (token: string): Effect.Effect<string> => digestHex(Digest.sha256, encoder.encode(token))
    : (token: string): Effect.Effect<string> => Effect.succeed(sha256(token))
})

const digests = new WeakMap<Identity, string>()

/**
 * Returns a copy of the identity for one token, whose digest `notedDigest` then returns.
 *
 * The copy is necessary because an embedder's verifier may return the same identity object for two tokens of a caller.
 */
export const withDigest = (identity: Identity, digest: string): Identity => {
  const own = { ...identity }
  digests.set(own, digest)
  return own
}

/**
 * Returns the digest of the token that an identity was made for; `undefined` for identities that `withDigest` has not
 * made.
 */
export const notedDigest = (identity: Identity): string | undefined => digests.get(identity)
