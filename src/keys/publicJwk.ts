/** What a JSON Web Key (RFC 7517) may verify, judged by its members alone. Pure. */
import * as Result from "effect/Result"
import { base64url } from "jose"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import { algorithmsOf, keyRules, rsaLimits } from "./cryptoPolicy.ts"
import { isJsonObject, type JsonObject, own } from "./JsonObject.ts"

/** Why a key of a set is passed over. */
export type UnusableKey =
  | "NotAnObject"
  | "MalformedKeyId"
  | "Symmetric"
  | "Private"
  | "UnsupportedType"
  | "WrongUse"
  | "WrongOperations"
  | "WrongAlgorithm"
  | "MalformedMaterial"
  | "WeakModulus"
  | "HugeModulus"
  | "WeakExponent"

/** A public key, reduced to the members that make up its material. */
export interface PublicJwk {
  readonly kid: string | undefined
  /** The algorithms that it may verify; never empty. */
  readonly algorithms: ReadonlyArray<JwsAlgorithm>
  /** `kty` and the material; equal for equal keys, in one order. */
  readonly material: { readonly kty: string } & Readonly<Record<string, string>>
}

type Material = Pick<PublicJwk, "algorithms" | "material">

// RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1; `priv`: RFC 9964
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"]

/** The bytes of a base64url member, `undefined` if it is anything else. */
const bytes = (value: unknown): Uint8Array | undefined =>
  typeof value === "string" && /^[A-Za-z0-9_-]+$/.test(value) && value.length % 4 !== 1
    ? base64url.decode(value)
    : undefined

/** An unsigned big-endian number without its leading zeros. */
const trimmed = (number: Uint8Array): Uint8Array => {
  const first = number.findIndex((byte) => byte !== 0)
  return number.subarray(first === -1 ? number.length : first)
}

const bitLength = (number: Uint8Array): number => number.length * 8 - Math.clz32(number[0] ?? 0) + 24

/**
 * Says what is wrong with the numbers of an RSA key: a modulus of fewer than 2048 bits (RFC 7518, section 3.3) or more
 * than 8192 (each verification would cost too much), a public exponent (big-endian) that is even, 1, or longer than 64
 * bits.
 */
export const rsaWeakness = (modulusBits: number, publicExponent: Uint8Array): UnusableKey | undefined => {
  if (modulusBits < rsaLimits.minModulusBits) return "WeakModulus"
  if (modulusBits > rsaLimits.maxModulusBits) return "HugeModulus"
  const exponent = trimmed(publicExponent)
  const last = exponent.at(-1) ?? 0
  const isOne = exponent.length === 1 && last === 1
  return last % 2 === 0 || isOne || exponent.length > rsaLimits.maxExponentBytes ? "WeakExponent" : undefined
}

const rsa = (jwk: JsonObject): Result.Result<Material, UnusableKey> => {
  const n = own(jwk, "n")
  const e = own(jwk, "e")
  const modulus = bytes(n)
  const exponent = bytes(e)
  if (typeof n !== "string" || typeof e !== "string" || modulus === undefined || exponent === undefined) {
    return Result.fail("MalformedMaterial")
  }
  const weakness = rsaWeakness(bitLength(trimmed(modulus)), exponent)
  return weakness === undefined
    ? Result.succeed({ algorithms: algorithmsOf("RSA"), material: { kty: "RSA", n, e } })
    : Result.fail(weakness)
}

/** A key on a curve: each coordinate has exactly the curve's length (RFC 7518, section 6.2; RFC 8037, section 2). */
const onCurve = (
  jwk: JsonObject,
  kty: "EC" | "OKP",
  coordinates: ReadonlyArray<"x" | "y">
): Result.Result<Material, UnusableKey> => {
  const crv = own(jwk, "crv")
  const algorithms = typeof crv === "string" ? algorithmsOf(kty, crv) : []
  const rule = algorithms[0] === undefined ? undefined : keyRules[algorithms[0]]
  if (rule === undefined || rule.kty === "RSA") return Result.fail("UnsupportedType")
  const material: Record<string, string> = {}
  for (const name of coordinates) {
    const value = own(jwk, name)
    if (typeof value !== "string" || bytes(value)?.length !== rule.coordinateBytes) {
      return Result.fail("MalformedMaterial")
    }
    material[name] = value
  }
  return Result.succeed({ algorithms, material: { kty, crv: rule.crv, ...material } })
}

const materialOf = (jwk: JsonObject): Result.Result<Material, UnusableKey> => {
  switch (own(jwk, "kty")) {
    case "RSA":
      return rsa(jwk)
    case "EC":
      return onCurve(jwk, "EC", ["x", "y"])
    case "OKP":
      return onCurve(jwk, "OKP", ["x"])
    default:
      return Result.fail("UnsupportedType")
  }
}

/** Says what the key itself forbids (RFC 7517, sections 4.2 and 4.3). */
const restriction = (jwk: JsonObject): UnusableKey | undefined => {
  const use = own(jwk, "use")
  if (use !== undefined && use !== "sig") return "WrongUse"
  const operations = own(jwk, "key_ops")
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) {
    return "WrongOperations"
  }
  const extractable = own(jwk, "ext")
  return extractable !== undefined && extractable !== true ? "WrongOperations" : undefined
}

/** Reads one member of `keys`: a public key that can verify signatures, or why it cannot. */
export const readPublicJwk = (value: unknown): Result.Result<PublicJwk, UnusableKey> => {
  if (!isJsonObject(value)) return Result.fail("NotAnObject")
  const kid = own(value, "kid")
  if (kid !== undefined && typeof kid !== "string") return Result.fail("MalformedKeyId")
  if (own(value, "kty") === "oct") return Result.fail("Symmetric")
  if (privateMembers.some((name) => Object.hasOwn(value, name))) return Result.fail("Private")
  const forbidden = restriction(value)
  if (forbidden !== undefined) return Result.fail(forbidden)
  return Result.flatMap(materialOf(value), ({ algorithms, material }) => {
    const declared = own(value, "alg")
    const fitting = declared === undefined ? algorithms : algorithms.filter((algorithm) => algorithm === declared)
    return fitting.length === 0 ? Result.fail("WrongAlgorithm") : Result.succeed({ kid, algorithms: fitting, material })
  })
}
