/** The algorithms that a JSON Web Key (RFC 7517) can verify, by its members alone. Pure. */
import * as Result from "effect/Result"
import { base64url } from "jose"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import { isJsonObject, type JsonObject, own, withoutNulls } from "../remote/JsonObject.ts"
import {
  algorithmsOf,
  isAgreementCurve,
  isEncryptionAlgorithm,
  isForEncryption,
  keyRules,
  rsaLimits
} from "./cryptoPolicy.ts"
import { edwardsProblem, type PointProblem, primeCurveProblem } from "./curvePoints.ts"
import { toInteger } from "./integers.ts"
import { hasRocaFingerprint } from "./roca.ts"
import { type CertifiedKey, certifiedKey } from "./thumbprint.ts"

/** Why a key of a set is skipped. */
export type UnusableKey =
  | "NotAnObject"
  | "MalformedKeyId"
  | "Symmetric"
  | "Private"
  | "UnsupportedType"
  /** An encryption key, which is skipped without an error. */
  | "ForEncryption"
  | "WrongUse"
  | "WrongOperations"
  | "WrongAlgorithm"
  | "MalformedMaterial"
  | "WeakModulus"
  | "HugeModulus"
  | "WeakExponent"
  | "RocaModulus"
  | PointProblem

/** A public key, reduced to the members of its material. */
export interface PublicJwk {
  readonly kid: string | undefined
  /** The algorithms that it can verify. Never empty. */
  readonly algorithms: ReadonlyArray<JwsAlgorithm>
  /** `kty` and the material in a fixed order, so that equal keys have equal texts. */
  readonly material: { readonly kty: string } & Readonly<Record<string, string>>
  /** The issuer, or issuer template, that the key is restricted to (as in Entra's key sets). */
  readonly issuer: string | undefined
  readonly certificate: CertifiedKey
}

type Material = Pick<PublicJwk, "algorithms" | "material">

// RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1; `priv`: RFC 9964
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"]

/** Returns the bytes of a base64url member; `undefined` if it is anything else. */
const bytes = (value: unknown): Uint8Array | undefined =>
  typeof value === "string" && /^[A-Za-z0-9_-]+$/.test(value) && value.length % 4 !== 1
    ? base64url.decode(value)
    : undefined

/** Removes the leading zeros of an unsigned big-endian number. */
const trimmed = (number: Uint8Array): Uint8Array => {
  const first = number.findIndex((byte) => byte !== 0)
  return number.subarray(first === -1 ? number.length : first)
}

const bitLength = (number: Uint8Array): number => number.length * 8 - Math.clz32(number[0] ?? 0) + 24

/**
 * Checks the numbers of an RSA key (big-endian) and returns the problem, if any: a modulus of fewer than 2048 bits (RFC
 * 7518, section 3.3), of more than 8192 (each verification would cost too much), or of guessable primes; a public
 * exponent that is even, 1, or longer than 64 bits.
 */
export const rsaWeakness = (modulus: Uint8Array, publicExponent: Uint8Array): UnusableKey | undefined => {
  const bits = bitLength(trimmed(modulus))
  if (bits < rsaLimits.minModulusBits) return "WeakModulus"
  if (bits > rsaLimits.maxModulusBits) return "HugeModulus"
  const exponent = trimmed(publicExponent)
  const last = exponent.at(-1) ?? 0
  const isOne = exponent.length === 1 && last === 1
  if (last % 2 === 0 || isOne || exponent.length > rsaLimits.maxExponentBytes) return "WeakExponent"
  return hasRocaFingerprint(toInteger(modulus)) ? "RocaModulus" : undefined
}

/** Encodes a number in its shortest form, so that equal keys have equal texts. */
const numberText = (octets: Uint8Array): string => base64url.encode(trimmed(octets))

const rsa = (jwk: JsonObject): Result.Result<Material, UnusableKey> => {
  const modulus = bytes(own(jwk, "n"))
  const exponent = bytes(own(jwk, "e"))
  if (modulus === undefined || exponent === undefined) return Result.fail("MalformedMaterial")
  const weakness = rsaWeakness(modulus, exponent)
  return weakness === undefined
    ? Result.succeed({
      algorithms: algorithmsOf("RSA"),
      material: { kty: "RSA", n: numberText(modulus), e: numberText(exponent) }
    })
    : Result.fail(weakness)
}

/**
 * Reads a key on a curve: each coordinate has exactly the curve's length (RFC 7518, section 6.2; RFC 8037, section 2).
 */
const onCurve = (jwk: JsonObject, kty: "EC" | "OKP"): Result.Result<Material, UnusableKey> => {
  const crv = own(jwk, "crv")
  const algorithms = typeof crv === "string" ? algorithmsOf(kty, crv) : []
  const rule = algorithms[0] === undefined ? undefined : keyRules[algorithms[0]]
  if (rule === undefined || rule.kty === "RSA") {
    return Result.fail(kty === "OKP" && isAgreementCurve(crv) ? "ForEncryption" : "UnsupportedType")
  }
  const x = bytes(own(jwk, "x"))
  if (x?.length !== rule.coordinateBytes) return Result.fail("MalformedMaterial")
  if (rule.kty === "OKP") {
    const problem = edwardsProblem(x)
    return problem === undefined
      ? Result.succeed({ algorithms, material: { kty, crv: rule.crv, x: base64url.encode(x) } })
      : Result.fail(problem)
  }
  const y = bytes(own(jwk, "y"))
  if (y?.length !== rule.coordinateBytes) return Result.fail("MalformedMaterial")
  const problem = primeCurveProblem(rule.crv, x, y)
  return problem === undefined
    ? Result.succeed({
      algorithms,
      material: { kty, crv: rule.crv, x: base64url.encode(x), y: base64url.encode(y) }
    })
    : Result.fail(problem)
}

/** Reads the members of the key material, and the algorithms that it could verify. */
const materialOf = (jwk: JsonObject): Result.Result<Material, UnusableKey> => {
  switch (own(jwk, "kty")) {
    case "RSA":
      return rsa(jwk)
    case "EC":
      return onCurve(jwk, "EC")
    case "OKP":
      return onCurve(jwk, "OKP")
    default:
      return Result.fail("UnsupportedType")
  }
}

/** Checks the restrictions in the key itself (RFC 7517, sections 4.2 to 4.4). */
const restriction = (jwk: JsonObject): UnusableKey | undefined => {
  const use = own(jwk, "use")
  if (use !== undefined && use !== "sig") return use === "enc" ? "ForEncryption" : "WrongUse"
  const operations = own(jwk, "key_ops")
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) {
    return isForEncryption(operations) ? "ForEncryption" : "WrongOperations"
  }
  const extractable = own(jwk, "ext")
  if (extractable !== undefined && extractable !== true) return "WrongOperations"
  return isEncryptionAlgorithm(own(jwk, "alg")) ? "ForEncryption" : undefined
}

/** Removes members without meaning: `null`, and empty lists of operations and primes. */
const meant = (key: JsonObject): JsonObject => {
  const jwk = withoutNulls(key)
  const isEmpty = (name: string): boolean => {
    const value = own(jwk, name)
    return Array.isArray(value) && value.length === 0
  }
  return ["key_ops", "oth"].some(isEmpty)
    ? Object.fromEntries(Object.entries(jwk).filter(([name]) => !["key_ops", "oth"].includes(name) || !isEmpty(name)))
    : jwk
}

/** Returns the `kid` of any member of `keys`; `undefined` if it has none, or one that is not a string. */
export const keyIdOf = (value: unknown): string | undefined => {
  const kid = isJsonObject(value) ? own(value, "kid") : undefined
  return typeof kid === "string" ? kid : undefined
}

const issuerOf = (jwk: JsonObject): string | undefined => {
  const issuer = own(jwk, "issuer")
  return typeof issuer === "string" ? issuer : undefined
}

/** Reads one member of `keys`: a public key that can verify signatures, or the reason why it cannot. */
export const readPublicJwk = (value: unknown): Result.Result<PublicJwk, UnusableKey> => {
  if (!isJsonObject(value)) return Result.fail("NotAnObject")
  const jwk = meant(value)
  const kid = own(jwk, "kid")
  if (kid !== undefined && typeof kid !== "string") return Result.fail("MalformedKeyId")
  if (own(jwk, "kty") === "oct") return Result.fail("Symmetric")
  if (privateMembers.some((name) => Object.hasOwn(jwk, name))) return Result.fail("Private")
  const forbidden = restriction(jwk)
  if (forbidden !== undefined) return Result.fail(forbidden)
  return Result.flatMap(materialOf(jwk), ({ algorithms, material }) => {
    const declared = own(jwk, "alg")
    const fitting = declared === undefined ? algorithms : algorithms.filter((algorithm) => algorithm === declared)
    return fitting.length === 0
      ? Result.fail("WrongAlgorithm")
      : Result.succeed({ kid, algorithms: fitting, material, issuer: issuerOf(jwk), certificate: certifiedKey(jwk) })
  })
}
