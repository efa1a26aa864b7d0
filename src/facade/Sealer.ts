/** Encrypted values that travel through clients, browsers and providers. Only this gateway can create or read them. */
import * as Clock from "effect/Clock"
import * as Aead from "effect/crypto/Aead"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { deriveBytes } from "../forward/deriveKey.ts"
import type { Json } from "../identity/Json.ts"

/** The purpose of a sealed value. Each purpose has its own key, so that no value can be used for another purpose. */
export type SealPurpose = "consent" | "state" | "code" | "refresh"

export interface Sealer {
  /**
   * @param context what the value is bound to, in addition to the parties: it can be opened only with the same context
   */
  readonly seal: (
    purpose: SealPurpose,
    context: ReadonlyArray<string>,
    value: ReadonlyArray<Json>
  ) => Effect.Effect<string>
  /**
   * Returns the value; `undefined` if it was not sealed here for this purpose and context, or is too old for its
   * purpose.
   */
  readonly open: (
    purpose: SealPurpose,
    context: ReadonlyArray<string>,
    sealed: string
  ) => Effect.Effect<ReadonlyArray<unknown> | undefined>
}

/** How long a sealed value can be opened, in seconds. For refresh tokens, the provider decides. */
const lifeSeconds: Readonly<Record<SealPurpose, number>> = {
  consent: 600,
  state: 600,
  code: 600,
  refresh: Number.POSITIVE_INFINITY
}

/** How far the clocks of replicas may differ, in seconds. */
const clockDifference = 60

/** In characters. Longer texts are rejected without being decrypted. */
const maxSealed = 16_384

const algorithm = Aead.xchacha20Poly1305
const tagLength = 16

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true })

const parse = (bytes: Uint8Array): ReadonlyArray<unknown> | undefined => {
  const value = Result.getOrUndefined(Result.try((): unknown => JSON.parse(decoder.decode(bytes))))
  return Array.isArray(value) ? value : undefined
}

/**
 * Builds the sealer of one facade.
 *
 * A sealed value is encrypted with XChaCha20-Poly1305 and a random nonce, together with its time; parties, purpose and
 * context are authenticated. The keys are derived from `MCP_SESSION_KEY` by HKDF, one for each purpose. The first
 * secret seals, and all secrets open. Nothing is stored, so a value can be opened more than once within its time.
 *
 * @param parties the issuer that clients see, and the provider. Values for one provider are thus never sent to another
 */
export const makeSealer = Effect.fnUntraced(function*(
  { sessionKeys }: Pick<GatewaySettings, "sessionKeys">,
  parties: readonly [issuer: string, provider: string]
): Effect.fn.Return<Sealer, never, Aead.Aead | Mac.Mac | SecureRandom.SecureRandom> {
  const aead = yield* Aead.Aead
  const mac = yield* Mac.Mac
  const random = yield* SecureRandom.SecureRandom
  const derived = new Map<SealPurpose, ReadonlyArray<Aead.Key>>()

  const keysFor = Effect.fnUntraced(function*(purpose: SealPurpose) {
    const known = derived.get(purpose)
    if (known !== undefined) return known
    const keys = yield* Effect.forEach(sessionKeys, (secret) =>
      Effect.flatMap(
        deriveBytes(mac, encoder.encode(Redacted.value(secret)), `mcp-authorizer facade ${purpose}`),
        (bytes) => Aead.key(algorithm, bytes)
      ))
    derived.set(purpose, keys)
    return keys
  }, Effect.orDie)

  const bindingOf = (purpose: SealPurpose, context: ReadonlyArray<string>): Uint8Array =>
    encoder.encode(JSON.stringify([purpose, parties, ...context]))

  return {
    seal: Effect.fnUntraced(function*(purpose, context, value) {
      const [key] = yield* keysFor(purpose)
      if (key === undefined) return yield* Effect.die("a facade without MCP_SESSION_KEY")
      const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const nonce = yield* random.randomBytes(algorithm.nonceLength)
      const text = encoder.encode(JSON.stringify([seconds, ...value]))
      const sealed = yield* aead.encrypt(key, text, { nonce, aad: bindingOf(purpose, context) })
      const bytes = new Uint8Array(nonce.length + sealed.length)
      bytes.set(nonce)
      bytes.set(sealed, nonce.length)
      return Base64Url.encode(bytes)
    }, Effect.orDie),
    open: Effect.fnUntraced(function*(purpose, context, sealed) {
      if (sealed.length > maxSealed) return undefined
      const bytes = Result.getOrUndefined(Base64Url.decode(sealed))
      // Only the canonical encoding is accepted, so that each value has a single text.
      if (bytes === undefined || Base64Url.encode(bytes) !== sealed) return undefined
      if (bytes.length < algorithm.nonceLength + tagLength) return undefined
      const nonce = bytes.subarray(0, algorithm.nonceLength)
      const aad = bindingOf(purpose, context)
      for (const key of yield* keysFor(purpose)) {
        const opened = yield* Effect.result(
          aead.decrypt(key, bytes.subarray(algorithm.nonceLength), { nonce, aad })
        )
        if (Result.isFailure(opened)) continue
        const [seconds, ...value] = parse(opened.success) ?? []
        const age = typeof seconds === "number"
          ? (yield* Clock.currentTimeMillis) / 1000 - seconds
          : Number.POSITIVE_INFINITY
        return age > lifeSeconds[purpose] || age < -clockDifference ? undefined : value
      }
      return undefined
    })
  }
})
