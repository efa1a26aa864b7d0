import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import type { KeySource } from "./KeyRing.ts"
import { makeSigningKey, type SigningKey } from "./SigningKey.ts"

// One pool for the process, because generating an RSA key takes longer than most properties take to check.
const idle = new Map<JwsAlgorithm, ReadonlyArray<SigningKey>>()

const take = (algorithm: JwsAlgorithm): SigningKey | undefined => {
  const [key, ...rest] = idle.get(algorithm) ?? []
  idle.set(algorithm, rest)
  return key
}

/** Returns a key that no other issuer has until the scope closes: a reused one, or a new one. */
export const reusedKey = (
  { algorithm, kid }: Parameters<KeySource>[0]
): Effect.Effect<SigningKey, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const key = take(algorithm)
      return key === undefined
        ? makeSigningKey({ algorithm, kid })
        : Effect.succeed({ ...key, kid, publicJwk: { ...key.publicJwk, kid } })
    }),
    (key) => Effect.sync(() => idle.set(algorithm, [...idle.get(algorithm) ?? [], key]))
  )
