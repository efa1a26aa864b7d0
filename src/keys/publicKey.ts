import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { importSPKI } from "jose"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import { edwardsProblem, primeCurveProblem } from "./curvePoints.ts"
import type { KeySet } from "./KeySet.ts"
import { rsaWeakness, type UnusableKey } from "./publicJwk.ts"
import { readSpki } from "./spki.ts"

/** A configured public key cannot be used: it is not PEM (SPKI), fits none of the algorithms, or is too weak. */
export class UnusablePublicKey extends Data.TaggedError("UnusablePublicKey")<{
  readonly provider: string
  readonly reason: string
}> {
  override get message(): string {
    return `public key of provider ${this.provider}: ${this.reason}`
  }
}

/** Checks the numbers of a key on every runtime, because runtimes check different things themselves. */
const weakness = (pem: string): UnusableKey | undefined => {
  const der = Result.getOrUndefined(Base64.decode(pem.replace(/-----[A-Z ]+-----/g, "").replace(/\s/g, "")))
  const key = der === undefined ? undefined : readSpki(der)
  switch (key?._tag) {
    case "Rsa":
      return rsaWeakness(key.modulus, key.exponent)
    case "Ed25519":
      return edwardsProblem(key.publicKey)
    case "Ec":
      return primeCurveProblem(key.crv, key.x, key.y)
    case undefined:
      // A compressed point, whose y the runtime has computed when it imported the key.
      return undefined
  }
}

/**
 * Builds a key set of one public key in PEM form (SPKI, RFC 7468, section 13), for the algorithms that it fits.
 *
 * The key has no id: ignore a token's `kid`. Fails with `UnusablePublicKey`, at start.
 */
export const fromPem = Effect.fnUntraced(function*(
  provider: string,
  pem: string,
  algorithms: ReadonlyArray<JwsAlgorithm>
): Effect.fn.Return<KeySet, UnusablePublicKey> {
  const keys = new Map<JwsAlgorithm, CryptoKey>()
  for (const algorithm of algorithms) {
    const imported = yield* Effect.option(Effect.tryPromise(() => importSPKI(pem.trim(), algorithm)))
    if (Option.isSome(imported)) keys.set(algorithm, imported.value)
  }
  if (keys.size === 0) {
    const reason = `not a PEM (SPKI) key for ${algorithms.join(", ")}`
    return yield* new UnusablePublicKey({ provider, reason })
  }
  const weak = weakness(pem)
  if (weak !== undefined) return yield* new UnusablePublicKey({ provider, reason: weak })
  return {
    keys: [{
      kid: undefined,
      algorithms: [...keys.keys()],
      cryptoKey: (algorithm) => Effect.succeed(Option.fromUndefinedOr(keys.get(algorithm))),
      peek: (algorithm) => Option.fromUndefinedOr(keys.get(algorithm))
    }],
    byMaterial: new Map(),
    skipped: []
  }
})
