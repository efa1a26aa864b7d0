import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { compactVerify, errors } from "jose"
import type { Refusal } from "../Refusal.ts"
import { refusal } from "../Refusal.ts"
import type { CompactJws } from "./CompactJws.ts"

/** The signature was found wanting. */
export class SignatureRefused extends Data.TaggedError("SignatureRefused")<Refusal> {}

/** Verification itself failed, for a reason that does not lie in the token. */
export class SignatureNotJudged extends Data.TaggedError("SignatureNotJudged")<{
  readonly detail: string
}> {}

// By code, never by text. What is not listed is no fault of the caller: an outage must not become a 401.
const classify = (cause: unknown): SignatureRefused | SignatureNotJudged => {
  const code = cause instanceof errors.JOSEError ? cause.code : undefined
  switch (code) {
    case "ERR_JWS_SIGNATURE_VERIFICATION_FAILED":
      return new SignatureRefused(refusal("InvalidSignature", "the signature does not verify"))
    case "ERR_JWS_INVALID":
      return new SignatureRefused(refusal("MalformedToken", "not a JWS"))
    case "ERR_JOSE_ALG_NOT_ALLOWED":
    case "ERR_JOSE_NOT_SUPPORTED":
      return new SignatureRefused(refusal("UnsupportedAlgorithm", "alg is not allowed"))
    default:
      return new SignatureNotJudged({ detail: `verification failed: ${code ?? "no JOSE error"}` })
  }
}

/**
 * Verifies the signature of a token with `key`, by the algorithm of its header and no other (RFC 7515, section 5.2).
 *
 * Fails with `SignatureRefused` if the token is to blame, else with `SignatureNotJudged`.
 */
export const verifySignature = (
  { header, token }: CompactJws,
  key: CryptoKey
): Effect.Effect<void, SignatureRefused | SignatureNotJudged> =>
  Effect.asVoid(Effect.tryPromise({
    try: () => compactVerify(token, key, { algorithms: [header.alg] }),
    catch: classify
  }))
