import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import { sessionField } from "../forward/SessionSeal.ts"
import type { Exchange } from "./Exchange.ts"

const encoder = new TextEncoder()

/**
 * Returns a digest of the session of an exchange; `undefined` if the exchange has no session. All requests of a session
 * have the same digest, and the digest cannot be used to join the session.
 */
export const sessionDigest = (
  digest: Digest.Digest["Service"],
  { request, session: received }: Exchange
): Effect.Effect<string | undefined> => {
  const session = request.headers[sessionField] ?? String(received ?? "")
  return session === ""
    ? Effect.undefined
    : Effect.map(Effect.orDie(digest.digestHex(Digest.sha256, encoder.encode(session))), (hex) => hex.slice(0, 16))
}
