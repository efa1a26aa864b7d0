/** The keys of one issuer: the keys that sign, and the published ones. */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import type { SigningKey } from "./SigningKey.ts"

export interface KeyRing {
  /** Returns the current signing key of this algorithm. Generated on first use. */
  readonly current: (algorithm: JwsAlgorithm) => Effect.Effect<SigningKey>
  /** Replaces the signing key of this algorithm. The old key stays published until it is removed. */
  readonly rotate: (algorithm: JwsAlgorithm) => Effect.Effect<SigningKey>
  readonly publish: (jwk: object) => Effect.Effect<void>
  readonly remove: (kid: string) => Effect.Effect<void>
  /** In the order of publication. */
  readonly published: Effect.Effect<ReadonlyArray<object>>
}

const kidOf = (jwk: object): unknown => "kid" in jwk ? jwk.kid : undefined

/** Where the keys of a ring come from. */
export type KeySource = (options: {
  readonly algorithm: JwsAlgorithm
  readonly kid: string
}) => Effect.Effect<SigningKey>

export const makeKeyRing = (initial: ReadonlyArray<JwsAlgorithm>, newKey: KeySource): KeyRing => {
  const signing = new Map<JwsAlgorithm, SigningKey>()
  const generations = new Map<JwsAlgorithm, number>()
  let published: ReadonlyArray<object> = []
  // Generating a key is slow and asynchronous: without the semaphore, two concurrent first callers would make two keys.
  const turn = Semaphore.makeUnsafe(1).withPermits(1)

  const generate = Effect.fnUntraced(function*(algorithm: JwsAlgorithm) {
    const generation = (generations.get(algorithm) ?? 0) + 1
    const key = yield* newKey({ algorithm, kid: `${algorithm}-${generation}` })
    generations.set(algorithm, generation)
    signing.set(algorithm, key)
    published = [...published, key.publicJwk]
    return key
  })

  const current = (algorithm: JwsAlgorithm) =>
    turn(Effect.suspend(() => {
      const key = signing.get(algorithm)
      return key === undefined ? generate(algorithm) : Effect.succeed(key)
    }))

  return {
    current,
    rotate: (algorithm) => turn(generate(algorithm)),
    publish: (jwk) =>
      Effect.sync(() => {
        published = [...published, jwk]
      }),
    remove: (kid) =>
      Effect.sync(() => {
        published = published.filter((jwk) => kidOf(jwk) !== kid)
      }),
    published: Effect.andThen(
      Effect.forEach(initial, current, { discard: true }),
      Effect.sync(() => published)
    )
  }
}
