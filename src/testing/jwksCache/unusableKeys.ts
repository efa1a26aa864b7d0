/** Members of a key set that must not verify anything. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { exportJWK } from "jose"
import type { JwsAlgorithm } from "../../config/GatewaySettings.ts"
import { makeSigningKey } from "../SigningKey.ts"

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
  "UnknownType",
  "NumberedKeyId",
  "Nothing"
])
export type UnusableKind = typeof UnusableKind.Type

/** An RSA modulus of nobody, of so many bits. */
const modulus = (bits: number): string =>
  btoa(String.fromCharCode(...Array.from({ length: bits / 8 }, (_, index) => 128 + (index * 37 + 1) % 128)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")

const rsa = (bits: number, e: string) => ({ kty: "RSA", n: modulus(bits), e })

/** The algorithm that whoever asks for such a key would name. */
export const algorithmFor = (kind: UnusableKind): JwsAlgorithm =>
  kind === "SmallRsa" || kind === "HugeRsa" || kind === "RsaWithExponentOne" ? "RS256" : "ES256"

/** Makes such a member under this `kid`. */
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
    case "UnknownType":
      return { ...jwk, kty: "AKP" }
    case "NumberedKeyId":
      return { ...jwk, kid: 1 }
    case "Nothing":
      return null
  }
})
