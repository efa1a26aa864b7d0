/** The keys that a provider publishes, and how to recognize a `CryptoKey` among them. */
import * as Effect from "effect/Effect"
import { makeSigningKey, type SigningKey } from "../../issuer/SigningKey.ts"

const message = new TextEncoder().encode("which key is it?")

/** A key pair with its own name, because a `kid` may be used twice. */
export interface Material {
  readonly name: string
  readonly key: SigningKey
  readonly signature: Uint8Array
}

export const makeMaterial = Effect.fnUntraced(function*(name: string, kid: string): Effect.fn.Return<Material> {
  const key = yield* makeSigningKey({ algorithm: "ES256", kid })
  return { name, key, signature: yield* key.sign(message) }
})

const fits = (candidate: CryptoKey, { signature }: Material) =>
  Effect.tryPromise(() =>
    crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, candidate, Uint8Array.from(signature), message)
  ).pipe(Effect.orElseSucceed(() => false))

/**
 * Returns the name of the material that this key verifies, or `undefined`. Proved by a signature, not read from the key.
 */
export const nameOf = (candidate: CryptoKey, materials: Iterable<Material>): Effect.Effect<string | undefined> =>
  Effect.map(
    Effect.findFirst(materials, (material) => fits(candidate, material)),
    (found) => found._tag === "Some" ? found.value.name : undefined
  )
