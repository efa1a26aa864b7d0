/** Keys with which a gateway signs its own tokens, as an operator makes them. */
import * as Result from "effect/Result"
import { generateKeyPairSync } from "node:crypto"
import { fromJson } from "../../src/config/kinds/kind.ts"
import { type ConfiguredSigningKey, signingKeys } from "../../src/config/kinds/signingKeys.ts"

/** PKCS#8 in PEM. */
export const ed25519Pem = (): string =>
  generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString()

export const p256Pem = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString()

/** The setting with these keys. */
export const keysOf = (...pems: ReadonlyArray<string>): ReadonlyArray<ConfiguredSigningKey> =>
  Result.getOrThrow(fromJson(signingKeys, pems))
