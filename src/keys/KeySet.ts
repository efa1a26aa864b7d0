/** The keys of one issuer, and which of them verifies a token. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { importJWK } from "jose"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import { type PublicJwk, readPublicJwk, type UnusableKey } from "./publicJwk.ts"

/** What a token's header says about its key (RFC 7515, section 4.1). */
export interface KeyHeader {
  readonly alg: JwsAlgorithm
  /** Chooses among the keys; `undefined`: the only key that fits. */
  readonly kid: string | undefined
}

/** A key that can verify. */
export interface VerificationKey {
  readonly kid: string | undefined
  readonly algorithms: ReadonlyArray<JwsAlgorithm>
  /** The imported key, `None` if the runtime refuses the material. Imported once for each algorithm. */
  readonly cryptoKey: (algorithm: JwsAlgorithm) => Effect.Effect<Option.Option<CryptoKey>>
  /** The same at once, `undefined` before the import is done. */
  readonly known: (algorithm: JwsAlgorithm) => Option.Option<CryptoKey> | undefined
}

export interface KeySet {
  readonly keys: ReadonlyArray<VerificationKey>
  /** The same keys by what they are made of, so that a later set can go on using those that it repeats. */
  readonly byMaterial: ReadonlyMap<string, VerificationKey>
}

export const empty: KeySet = { keys: [], byMaterial: new Map() }

/** A member of a JWKS that is passed over. */
export interface SkippedKey {
  readonly index: number
  readonly reason: UnusableKey | "RepeatedKeyId" | "TooMany"
}

/** No key of the set, or more than one, fits the token. */
export class NoFittingKey extends Data.TaggedClass("NoFittingKey")<{
  readonly reason: "None" | "Ambiguous"
}> {}

/** Members of a set beyond this are not looked at. */
const maxKeys = 100

const imported = (jwk: PublicJwk): Pick<VerificationKey, "cryptoKey" | "known"> => {
  // A promise, not an effect: the fiber that asks first may be interrupted, its import goes on for the others.
  const imports = new Map<JwsAlgorithm, Promise<Option.Option<CryptoKey>>>()
  const done = new Map<JwsAlgorithm, Option.Option<CryptoKey>>()
  const start = async (algorithm: JwsAlgorithm) => {
    const key = await importJWK({ ...jwk.material }, algorithm).catch(() => undefined)
    const usable = key === undefined || key instanceof Uint8Array ? Option.none<CryptoKey>() : Option.some(key)
    done.set(algorithm, usable)
    return usable
  }
  const join = (algorithm: JwsAlgorithm) =>
    Effect.promise(() => {
      const promise = imports.get(algorithm) ?? start(algorithm)
      imports.set(algorithm, promise)
      return promise
    })
  const known = (algorithm: JwsAlgorithm) => done.get(algorithm)
  return {
    known,
    // Without a promise once it is there: every request asks.
    cryptoKey: (algorithm) =>
      Effect.suspend(() => {
        const usable = known(algorithm)
        return usable === undefined ? join(algorithm) : Effect.succeed(usable)
      })
  }
}

/**
 * Reads the `keys` of a JWKS (RFC 7517, section 5): every usable key, and why the others are not.
 *
 * One bad member never spoils the set. A `kid` that two different keys claim belongs to neither. A key that `previous`
 * had as well is the same `CryptoKey` again: what it has verified stays verified.
 */
export const fromJwks = (
  members: ReadonlyArray<unknown>,
  previous: KeySet = empty
): { readonly set: KeySet; readonly skipped: ReadonlyArray<SkippedKey> } => {
  const skipped: Array<SkippedKey> = []
  const usable: Array<{ readonly index: number; readonly jwk: PublicJwk; readonly material: string }> = []
  members.slice(0, maxKeys).forEach((member, index) =>
    Result.match(readPublicJwk(member), {
      onFailure: (reason) => skipped.push({ index, reason }),
      onSuccess: (jwk) => usable.push({ index, jwk, material: JSON.stringify(jwk.material) })
    })
  )
  if (members.length > maxKeys) skipped.push({ index: maxKeys, reason: "TooMany" })

  const keys = new Map<string, PublicJwk>()
  for (const { index, jwk, material } of usable) {
    if (jwk.kid !== undefined && usable.some((other) => other.jwk.kid === jwk.kid && other.material !== material)) {
      skipped.push({ index, reason: "RepeatedKeyId" })
    } else {
      // One key that is listed once for each algorithm is one key.
      const name = JSON.stringify([jwk.kid ?? null, material])
      const algorithms = new Set([...keys.get(name)?.algorithms ?? [], ...jwk.algorithms])
      keys.set(name, { ...jwk, algorithms: [...algorithms] })
    }
  }
  const byMaterial = new Map<string, VerificationKey>()
  for (const [name, jwk] of keys) {
    const same = JSON.stringify([name, jwk.algorithms])
    byMaterial.set(same, previous.byMaterial.get(same) ?? { ...jwk, ...imported(jwk) })
  }
  return { set: { keys: [...byMaterial.values()], byMaterial }, skipped }
}

const fits = ({ algorithms, kid: own }: VerificationKey, { alg, kid }: KeyHeader): boolean =>
  algorithms.includes(alg) && (kid === undefined || own === kid)

/** The key that `find` finds, at once; `undefined` where there is none or it has to be waited for. */
export const known = (set: KeySet, header: KeyHeader): CryptoKey | undefined => {
  let found: CryptoKey | undefined
  for (const key of set.keys) {
    if (!fits(key, header)) continue
    const imported = key.known(header.alg)
    if (imported === undefined || (found !== undefined && Option.isSome(imported))) return undefined
    if (Option.isSome(imported)) found = imported.value
  }
  return found
}

/**
 * Finds the key that a header names: by `kid`, which must be equal, or the only one that fits if there is no `kid`.
 *
 * A key fits if its type, curve, `alg`, `use` and `key_ops` allow the algorithm and the runtime accepts its material.
 */
export const find = Effect.fnUntraced(
  function*(set: KeySet, header: KeyHeader): Effect.fn.Return<CryptoKey, NoFittingKey> {
    const candidates = set.keys.filter((key) => fits(key, header))
    const keys = (yield* Effect.forEach(candidates, (key) => key.cryptoKey(header.alg)))
      .flatMap((key) => Option.toArray(key))
    const [first, second] = keys
    if (first === undefined) return yield* Effect.fail(new NoFittingKey({ reason: "None" }))
    return second === undefined ? first : yield* Effect.fail(new NoFittingKey({ reason: "Ambiguous" }))
  }
)
