/** The gateway's own keys: it signs with the first one, and publishes all (RFC 7517; RFC 8037). */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { calculateJwkThumbprint, compactVerify, exportJWK, importJWK, importPKCS8, SignJWT } from "jose"
import type { ConfiguredSigningKey } from "../config/kinds/signingKeys.ts"
import type { Json } from "../identity/Json.ts"

export class UnusableSigningKey extends Data.TaggedError("UnusableSigningKey")<{
  /** For the log. Contains no key material. */
  readonly detail: string
}> {}

/** The claims of a token, in the order in which they are written. */
export type SignedClaims = { readonly [name: string]: Json }

export interface SigningKey {
  /** Its public part, with `kid`, `alg` and `use`. */
  readonly publicJwk: { readonly [member: string]: Json }
  /** @param typ `typ` of the header */
  readonly sign: (claims: SignedClaims, typ: string) => Promise<string>
}

const importKey = async ({ algorithm, form, text }: ConfiguredSigningKey): Promise<CryptoKey> => {
  const given = Redacted.value(text)
  const key = form === "Pkcs8"
    ? await importPKCS8(given, algorithm, { extractable: true })
    : await importJWK(JSON.parse(given), algorithm, { extractable: true })
  if (key instanceof Uint8Array) throw new Error("not an asymmetric key")
  return key
}

const load = async (configured: ConfiguredSigningKey): Promise<SigningKey> => {
  const { algorithm } = configured
  const key = await importKey(configured)
  const { crv = "", x = "", y } = await exportJWK(key)
  const bare = y === undefined ? { kty: "OKP" as const, crv, x } : { kty: "EC" as const, crv, x, y }
  const kid = configured.keyId ?? await calculateJwkThumbprint(bare)
  const publicJwk = { ...bare, kid, alg: algorithm, use: "sig" }
  const sign: SigningKey["sign"] = (claims, typ) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: algorithm, typ, kid }).sign(key)
  // Tried with a test signature: the public and the private part of a JWK may not belong together.
  await compactVerify(await sign({}, "JWT"), await importJWK(bare, algorithm))
  return { publicJwk, sign }
}

// The check at start and several servers need the same keys. Pending imports are not shared, because on some hosts no
// request may wait for another.
const loaded = new WeakMap<ConfiguredSigningKey, SigningKey>()

const loadOnce = async (configured: ConfiguredSigningKey): Promise<SigningKey> => {
  const known = loaded.get(configured)
  if (known !== undefined) return known
  const key = await load(configured)
  loaded.set(configured, key)
  return key
}

/** Imports the keys, and tries each of them once. Fails with `UnusableSigningKey`, at start. */
export const loadSigningKeys = (
  configured: ReadonlyArray<ConfiguredSigningKey>
): Effect.Effect<ReadonlyArray<SigningKey>, UnusableSigningKey> =>
  Effect.forEach(configured, (key, index) =>
    Effect.tryPromise({
      try: () => loadOnce(key),
      // The library's error may quote the key.
      catch: () =>
        new UnusableSigningKey({
          detail: `key ${index + 1} cannot be used with ${key.algorithm}, or its halves do not fit`
        })
    }))
