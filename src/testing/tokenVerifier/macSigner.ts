import * as Effect from "effect/Effect"
import type { Signer } from "../SigningKey.ts"

/** Signs with HMAC (RFC 7518, section 3.2) of any of the three hashes; an empty secret is one, too. */
export const macSigner = (hash: "256" | "384" | "512", secret: string | Uint8Array, kid: string): Signer => {
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret) : Uint8Array.from(secret)
  // WebCrypto refuses an empty secret; HMAC pads with zeros, so that one zero byte is the same (RFC 2104, section 2).
  const raw = bytes.length === 0 ? new Uint8Array(1) : bytes
  const algorithm = { name: "HMAC", hash: `SHA-${hash}` }
  const signed = async (input: Uint8Array) => {
    const key = await crypto.subtle.importKey("raw", raw, algorithm, false, ["sign"])
    return new Uint8Array(await crypto.subtle.sign(algorithm, key, Uint8Array.from(input)))
  }
  return { algorithm: `HS${hash}`, kid, sign: (input) => Effect.promise(() => signed(input)) }
}
