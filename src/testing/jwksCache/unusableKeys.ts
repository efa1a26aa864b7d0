/** Members of a key set that must not verify anything. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { exportJWK } from "jose"
import type { JwsAlgorithm } from "../../config/GatewaySettings.ts"
import { makeSigningKey } from "../../issuer/SigningKey.ts"

export const UnusableKind = Schema.Literals([
  "Symmetric",
  "Private",
  "ForEncryption",
  "ForSigning",
  "ForAnotherAlgorithm",
  "NotOnTheCurve",
  "WithoutCoordinate",
  "LongCoordinate",
  "SmallRsa",
  "HugeRsa",
  "RsaWithExponentOne",
  "RsaOfGuessablePrimes",
  "Ed25519OfSmallOrder",
  "UnknownType",
  "NumberedKeyId",
  "Nothing"
])
export type UnusableKind = typeof UnusableKind.Type

const base64url = (octets: ReadonlyArray<number>): string =>
  btoa(String.fromCharCode(...octets)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")

/** An RSA modulus of this many bits, without a private key. */
const modulus = (bits: number): string =>
  base64url(Array.from({ length: bits / 8 }, (_, index) => 128 + (index * 37 + 1) % 128))

/**
 * A modulus of 2048 bits that is 1, which is a power of 65537, modulo each prime up to 167, like those of CVE-2017-15361,
 * which are powers of it.
 */
const guessableModulus = (): string => {
  let product = 2n
  for (let number = 3n; number <= 167n; number += 2n) {
    let isPrime = true
    for (let divisor = 3n; divisor * divisor <= number; divisor += 2n) isPrime &&= number % divisor !== 0n
    if (isPrime) product *= number
  }
  const hex = ((2n ** 2047n / product + 1n) * product + 1n).toString(16)
  return base64url(Array.from({ length: 256 }, (_, index) => Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16)))
}

/** A point of order 4, which verifies some signatures that were made without a private key. */
const smallOrder = base64url(Array.from({ length: 32 }, () => 0))

const rsa = (bits: number, e: string) => ({ kty: "RSA", n: modulus(bits), e })

/** Returns the algorithm that a token with such a key would name. */
export const algorithmFor = (kind: UnusableKind): JwsAlgorithm => {
  switch (kind) {
    case "SmallRsa":
    case "HugeRsa":
    case "RsaWithExponentOne":
    case "RsaOfGuessablePrimes":
      return "RS256"
    case "Ed25519OfSmallOrder":
      return "EdDSA"
    default:
      return "ES256"
  }
}

/** Builds such a member with this `kid`. */
export const makeUnusable = Effect.fnUntraced(function*(kind: UnusableKind, kid: string): Effect.fn.Return<unknown> {
  const { privateKey, publicJwk: { alg: _, use: __, ...jwk } } = yield* makeSigningKey({ algorithm: "ES256", kid })
  switch (kind) {
    case "Symmetric":
      return { kty: "oct", kid, k: "c2VjcmV0LXRoYXQtZXZlcnlib2R5LWtub3dz" }
    case "Private":
      return { ...(yield* Effect.promise(() => exportJWK(privateKey))), kid }
    case "ForEncryption":
      return { ...jwk, use: "enc" }
    case "ForSigning":
      return { ...jwk, key_ops: ["sign"] }
    case "ForAnotherAlgorithm":
      return { ...jwk, alg: "ES384" }
    case "NotOnTheCurve":
      return { ...jwk, x: jwk.y, y: jwk.x }
    case "WithoutCoordinate":
      return { kty: "EC", crv: "P-256", kid, x: jwk.x }
    case "LongCoordinate":
      return { ...jwk, x: `AAAA${jwk.x}` }
    case "SmallRsa":
      return { ...rsa(1024, "AQAB"), kid }
    case "HugeRsa":
      return { ...rsa(16_384, "AQAB"), kid }
    case "RsaWithExponentOne":
      return { ...rsa(2048, "AQ"), kid }
    case "RsaOfGuessablePrimes":
      return { kty: "RSA", n: guessableModulus(), e: "AQAB", kid }
    case "Ed25519OfSmallOrder":
      return { kty: "OKP", crv: "Ed25519", x: smallOrder, kid }
    case "UnknownType":
      return { ...jwk, kty: "AKP" }
    case "NumberedKeyId":
      return { ...jwk, kid: 1 }
    case "Nothing":
      return null
  }
})
