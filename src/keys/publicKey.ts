import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { importSPKI } from "jose"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import type { KeySet } from "./KeySet.ts"
import { rsaWeakness } from "./publicJwk.ts"

/** A configured public key cannot be used: it is not PEM (SPKI), fits none of the algorithms, or is too weak. */
export class UnusablePublicKey extends Data.TaggedError("UnusablePublicKey")<{
  readonly provider: string
  readonly reason: string
}> {
  override get message(): string {
    return `public key of provider ${this.provider}: ${this.reason}`
  }
}

const weakness = ({ algorithm }: CryptoKey) =>
  // RSA keys alone have these two; the type of `algorithm` does not tell the kinds apart.
  "modulusLength" in algorithm && typeof algorithm.modulusLength === "number" &&
    "publicExponent" in algorithm && algorithm.publicExponent instanceof Uint8Array
    ? rsaWeakness(algorithm.modulusLength, algorithm.publicExponent)
    : undefined

/**
 * Makes a key set of one public key in PEM form (SPKI, RFC 7468, section 13), for the algorithms that it fits.
 *
 * The key has no id: a token's `kid` is to be ignored. Fails with `UnusablePublicKey`, at start-up.
 */
export const fromPem = Effect.fnUntraced(function*(
  provider: string,
  pem: string,
  algorithms: ReadonlyArray<JwsAlgorithm>
): Effect.fn.Return<KeySet, UnusablePublicKey> {
  const keys = new Map<JwsAlgorithm, CryptoKey>()
  for (const algorithm of algorithms) {
    const imported = yield* Effect.option(Effect.tryPromise(() => importSPKI(pem.trim(), algorithm)))
    if (Option.isNone(imported)) continue
    const weak = weakness(imported.value)
    if (weak !== undefined) return yield* new UnusablePublicKey({ provider, reason: weak })
    keys.set(algorithm, imported.value)
  }
  if (keys.size === 0) {
    const reason = `not a PEM (SPKI) key for ${algorithms.join(", ")}`
    return yield* new UnusablePublicKey({ provider, reason })
  }
  return {
    keys: [{
      kid: undefined,
      algorithms: [...keys.keys()],
      cryptoKey: (algorithm) => Effect.succeed(Option.fromUndefinedOr(keys.get(algorithm))),
      known: (algorithm) => Option.fromUndefinedOr(keys.get(algorithm))
    }],
    byMaterial: new Map()
  }
})
