/** The keys of one issuer, and the selection of the key that verifies a token. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { importJWK } from "jose"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import { isIssuerOf } from "../remote/issuerUrl.ts"
import { keyIdOf, type PublicJwk, readPublicJwk, type UnusableKey } from "./publicJwk.ts"
import { type CertifiedKey, type NamedCertificate, namesCertificate } from "./thumbprint.ts"

/** The parts of a token's header that concern its key (RFC 7515, section 4.1). */
export interface KeyHeader extends NamedCertificate {
  readonly alg: JwsAlgorithm
  /** The id of the key. If `undefined`, the key is that of the named certificate, or the only one that fits. */
  readonly kid: string | undefined
  /** The token's issuer, if one set has keys of several issuers: then keys for other issuers do not fit. */
  readonly issuer?: string | undefined
}

/** Key material, imported for each algorithm in use. */
interface ImportedMaterial {
  /** Returns the imported key; `None` if the runtime rejects the material. Imports it once for each algorithm. */
  readonly cryptoKey: (algorithm: JwsAlgorithm) => Effect.Effect<Option.Option<CryptoKey>>
  /** Returns the imported key synchronously; `undefined` until the import has finished. */
  readonly peek: (algorithm: JwsAlgorithm) => Option.Option<CryptoKey> | undefined
}

export interface VerificationKey extends ImportedMaterial {
  readonly kid: string | undefined
  readonly algorithms: ReadonlyArray<JwsAlgorithm>
  readonly issuer?: string | undefined
  readonly certificate?: CertifiedKey | undefined
}

/** A member of a JWKS that cannot be used. */
export interface SkippedKey {
  readonly index: number
  readonly kid: string | undefined
  readonly reason: UnusableKey | "RepeatedKeyId" | "TooMany"
}

export interface KeySet {
  readonly keys: ReadonlyArray<VerificationKey>
  /** The keys by their material, so that a later set can reuse them. */
  readonly byMaterial: ReadonlyMap<string, ImportedMaterial>
  readonly skipped: ReadonlyArray<SkippedKey>
}

export const empty: KeySet = { keys: [], byMaterial: new Map(), skipped: [] }

/** No key of the set fits the token, or several do. */
export class NoFittingKey extends Data.TaggedClass("NoFittingKey")<{
  readonly reason: "None" | "Ambiguous"
  readonly header: KeyHeader
  readonly set: KeySet
}> {}

/** Members of a set beyond this number are ignored. */
const maxKeys = 100

const imported = (jwk: PublicJwk): ImportedMaterial => {
  // A promise, not an effect: if the first fiber is interrupted, the import continues for the others.
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
  const peek = (algorithm: JwsAlgorithm) => done.get(algorithm)
  return {
    peek,
    // Synchronous once the key is imported, because every request needs it.
    cryptoKey: (algorithm) =>
      Effect.suspend(() => {
        const usable = peek(algorithm)
        return usable === undefined ? join(algorithm) : Effect.succeed(usable)
      })
  }
}

/** A usable member, with its position. */
interface UsableMember {
  readonly index: number
  readonly jwk: PublicJwk
  /** A text that is equal for equal keys. */
  readonly material: string
}

/**
 * Returns the algorithms for which a member is the only key with its id. Keys of different type or algorithm may share
 * an id (RFC 7517, section 4.5). An algorithm that two keys with one id could verify is assigned to neither.
 */
const unshared = ({ jwk, material }: UsableMember, all: ReadonlyArray<UsableMember>): ReadonlyArray<JwsAlgorithm> => {
  if (jwk.kid === undefined) return jwk.algorithms
  const rivals = all.filter((other) => other.jwk.kid === jwk.kid && other.material !== material)
  return jwk.algorithms.filter((algorithm) => !rivals.some((rival) => rival.jwk.algorithms.includes(algorithm)))
}

/**
 * Reads the `keys` of a JWKS (RFC 7517, section 5): every usable key, and why the others are not.
 *
 * A malformed member does not invalidate the set; `null` means no keys. If `previous` has the same material, under any
 * id, its `CryptoKey` is reused, so that cached verdicts remain valid.
 */
export const fromJwks = (members: ReadonlyArray<unknown>, previous: KeySet = empty): KeySet => {
  const skipped: Array<SkippedKey> = []
  const skip = (index: number, reason: SkippedKey["reason"]) =>
    skipped.push({ index, kid: keyIdOf(members[index]), reason })
  const usable: Array<UsableMember> = []
  for (const [index, member] of members.slice(0, maxKeys).entries()) {
    if (member === null) continue
    Result.match(readPublicJwk(member), {
      onFailure: (reason) => skip(index, reason),
      onSuccess: (jwk) => usable.push({ index, jwk, material: JSON.stringify(jwk.material) })
    })
  }
  if (members.length > maxKeys) skipped.push({ index: maxKeys, kid: undefined, reason: "TooMany" })

  const byMaterial = new Map<string, ImportedMaterial>()
  const keys = new Map<string, VerificationKey>()
  for (const member of usable) {
    const { index, jwk, material } = member
    const algorithms = unshared(member, usable)
    if (algorithms.length < jwk.algorithms.length) skip(index, "RepeatedKeyId")
    if (algorithms.length === 0) continue
    const shared = byMaterial.get(material) ?? previous.byMaterial.get(material) ?? imported(jwk)
    byMaterial.set(material, shared)
    // A key that is listed once for each algorithm counts as one key.
    const name = JSON.stringify([jwk.kid ?? null, jwk.issuer ?? null, material])
    const all = new Set([...keys.get(name)?.algorithms ?? [], ...algorithms])
    keys.set(name, { kid: jwk.kid, issuer: jwk.issuer, certificate: jwk.certificate, algorithms: [...all], ...shared })
  }
  return { keys: [...keys.values()], byMaterial, skipped }
}

const fits = (key: VerificationKey, { alg, issuer, kid }: KeyHeader): boolean =>
  key.algorithms.includes(alg) && (kid === undefined || key.kid === kid) &&
  (issuer === undefined || key.issuer === undefined || isIssuerOf(key.issuer, issuer))

const choosesByCertificate = (header: KeyHeader): boolean => header.kid === undefined && namesCertificate(header)

/** The keys that a header may refer to. If it names a certificate, and keys match that, only those. */
const candidates = (set: KeySet, header: KeyHeader): ReadonlyArray<VerificationKey> => {
  const fitting = set.keys.filter((key) => fits(key, header))
  if (!choosesByCertificate(header)) return fitting
  const are = (expected: "Same" | "Unknown") =>
    fitting.filter(({ certificate }) => (certificate?.compare(header) ?? "Unknown") === expected)
  const same = are("Same")
  return same.length > 0 ? same : are("Unknown")
}

/** Like `find`, but synchronous; `undefined` if no key fits or the key must be imported first. */
export const peek = (set: KeySet, header: KeyHeader): CryptoKey | undefined => {
  if (choosesByCertificate(header) && !set.keys.every(({ certificate }) => certificate?.isPrepared() ?? true)) {
    return undefined
  }
  let found: CryptoKey | undefined
  // The usual path builds no list, for speed: every request takes it.
  for (const key of choosesByCertificate(header) ? candidates(set, header) : set.keys) {
    if (!fits(key, header)) continue
    const imported = key.peek(header.alg)
    if (imported === undefined) return undefined
    if (Option.isNone(imported)) continue
    // The same key under another id is the same key.
    if (found !== undefined && found !== imported.value) return undefined
    found = imported.value
  }
  return found
}

const prepareCertificates = (set: KeySet) =>
  Effect.promise(() => Promise.all(set.keys.map(({ certificate }) => certificate?.prepare())))

/**
 * Finds the key that a header names: by `kid`, which must be equal; without one by its certificate, or otherwise the only
 * key that fits.
 *
 * A key fits if its type, curve, `alg`, `use` and `key_ops` allow the algorithm and the runtime accepts its material. The
 * same key under several ids counts as one. A thumbprint only selects a key; the signature proves the token.
 */
export const find = Effect.fnUntraced(
  function*(set: KeySet, header: KeyHeader): Effect.fn.Return<CryptoKey, NoFittingKey> {
    if (choosesByCertificate(header)) yield* prepareCertificates(set)
    const keys = (yield* Effect.forEach(candidates(set, header), (key) => key.cryptoKey(header.alg)))
      .flatMap((key) => Option.toArray(key))
    const [first, second] = new Set(keys)
    if (first === undefined) return yield* Effect.fail(new NoFittingKey({ reason: "None", header, set }))
    return second === undefined ? first : yield* Effect.fail(new NoFittingKey({ reason: "Ambiguous", header, set }))
  }
)
