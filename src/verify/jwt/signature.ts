import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { compactVerify, errors } from "jose"
import type { JwsAlgorithm } from "../../config/GatewaySettings.ts"
import { show } from "../../errors/show.ts"
import { keyRules } from "../../keys/cryptoPolicy.ts"
import type { Rejection } from "../Rejection.ts"
import { rejection } from "../Rejection.ts"
import type { CompactJws } from "./CompactJws.ts"
import type { JoseHeader } from "./JoseHeader.ts"

/** The signature could not be verified, for a reason that is not in the token. */
export class SignatureNotChecked extends Data.TaggedError("SignatureNotChecked")<{
  readonly detail: string
}> {}

/**
 * Returns synchronously whether a signature of a text (ASCII) is valid; `undefined` if that is not supported here.
 *
 * It must be as strict as Web Crypto and must not throw. It blocks all other requests, so algorithms that take longer
 * than a switch to another thread should be left to Web Crypto.
 */
export type VerifyAtOnce = (
  algorithm: JwsAlgorithm,
  key: CryptoKey,
  signature: Uint8Array,
  signed: string
) => boolean | undefined

/** How this host verifies signatures synchronously. By default, Web Crypto verifies all of them asynchronously. */
export const VerifyAtOnce = Context.Reference<VerifyAtOnce>(
  "mcp-authorizer/verify/jwt/signature/VerifyAtOnce",
  { defaultValue: () => () => undefined }
)

/** The detail names the key of the header, because a provider may have signed with another one. */
const wrong = ({ kid }: JoseHeader): Rejection =>
  rejection(
    "InvalidSignature",
    `the signature does not verify${kid === undefined ? "" : ` with the key ${show(kid)}, which the token names`}`
  )

// Errors are classified by code, never by text. An error that is not listed is not the caller's fault: an outage must
// not become a 401.
const classify = (cause: unknown, header: JoseHeader): Effect.Effect<Rejection, SignatureNotChecked> => {
  const code = cause instanceof errors.JOSEError ? cause.code : undefined
  switch (code) {
    case "ERR_JWS_SIGNATURE_VERIFICATION_FAILED":
      return Effect.succeed(wrong(header))
    case "ERR_JWS_INVALID":
      return Effect.succeed(rejection("MalformedToken", "not a JWS"))
    case "ERR_JOSE_ALG_NOT_ALLOWED":
    case "ERR_JOSE_NOT_SUPPORTED":
      return Effect.succeed(rejection("UnsupportedAlgorithm", "alg is not allowed"))
    default:
      return Effect.fail(new SignatureNotChecked({ detail: `verification failed: ${code ?? "no JOSE error"}` }))
  }
}

/**
 * Returns how many bytes a signature must have: the length of the modulus, of two scalars, or 64 (RFC 8017, sections
 * 8.1.2 and 8.2.2; RFC 7518, section 3.4; RFC 8032, section 5.1.7).
 *
 * Checked here because OpenSSL also accepts a PSS signature without its leading zeros, which would give a token a
 * second spelling.
 */
const signatureBytes = (algorithm: JwsAlgorithm, key: CryptoKey): number | undefined => {
  const rule = keyRules[algorithm]
  if (rule.kty !== "RSA") return 2 * rule.coordinateBytes
  // Only RSA keys have this member, which the type of `algorithm` does not show.
  const bits = "modulusLength" in key.algorithm ? Number(key.algorithm.modulusLength) : undefined
  return bits === undefined ? undefined : Math.ceil(bits / 8)
}

/**
 * Verifies the signature of a token with the given key and only with the algorithm of the token's header (RFC 7515,
 * section 5.2). Returns `undefined` if it is valid. Is an `Exit` if the host can verify it synchronously.
 */
export type CheckSignature = (
  jws: CompactJws,
  key: CryptoKey
) => Effect.Effect<Rejection | undefined, SignatureNotChecked>

export const makeCheckSignature: Effect.Effect<CheckSignature> = Effect.map(
  VerifyAtOnce,
  (verifyAtOnce): CheckSignature => ({ header, signature, token }, key) => {
    const { alg } = header
    const length = signatureBytes(alg, key)
    if (length !== undefined && signature.length !== length) {
      const detail =
        `the signature has ${signature.length} bytes, but the key requires ${length}; the token may be truncated`
      return Effect.succeed(rejection("InvalidSignature", detail))
    }
    const isGood = verifyAtOnce(alg, key, signature, token.slice(0, token.lastIndexOf(".")))
    return isGood === undefined
      ? Effect.catch(
        Effect.as(Effect.tryPromise(() => compactVerify(token, key, { algorithms: [alg] })), undefined),
        ({ cause }) => classify(cause, header)
      )
      : Effect.succeed(isGood ? undefined : wrong(header))
  }
)
