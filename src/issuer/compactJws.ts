/**
 * Writes a JWS in compact serialization (RFC 7515, section 7.1) from any header and payload text, valid or not.
 *
 * Libraries do not write what a verifier must reject, so this function writes it by hand.
 */
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import type { Signer } from "./SigningKey.ts"

export const compactJws = (headerJson: string, payloadJson: string, signer: Signer): Effect.Effect<string> => {
  const input = `${Base64Url.encode(headerJson)}.${Base64Url.encode(payloadJson)}`
  return Effect.map(
    signer.sign(new TextEncoder().encode(input)),
    (signature) => `${input}.${Base64Url.encode(signature)}`
  )
}
