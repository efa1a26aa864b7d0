/** The result of every rule about one JWT, for an operator. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { InvalidToken, ProviderUnavailable } from "../../errors/GatewayError.ts"
import { wantedKey } from "../../keys/keyFetch.ts"
import type { KeyHeader } from "../../keys/KeySet.ts"
import type { Phase } from "../../remote/remoteState.ts"
import { scopesRule, subjectRule } from "../claims/claimRules.ts"
import { identityFromClaims } from "../claims/identity.ts"
import { applied, type Finding, type Inspection, rejectedBy, skipped } from "../Inspection.ts"
import type { Rejection } from "../Rejection.ts"
import { type CheckedJwt, claimRules, headerRules } from "./jwtRules.ts"

/** The keys that a provider publishes now. */
export interface InspectedKeys {
  /** The URL of the keys, or the setting that contains them. */
  readonly place: string
  /** The state of the cached keys; `undefined` for keys in the settings. */
  readonly phase?: Phase | undefined
  /** The keys that are published now, or why they could not be fetched. */
  readonly published: Result.Result<string, string>
  /** Whether the key that the token names is among them; `undefined` if they could not be fetched. */
  readonly hasKey?: boolean | undefined
  readonly clockDifference?: number | undefined
}

export type InspectKeys = (header: KeyHeader) => Effect.Effect<InspectedKeys>

/** The parts of the verification that may have to wait. */
interface JwtParts {
  readonly key: Effect.Effect<CryptoKey, InvalidToken | ProviderUnavailable>
  readonly keys: Effect.Effect<InspectedKeys>
  readonly wanted: KeyHeader
  readonly signature: (key: CryptoKey) => Effect.Effect<Rejection | undefined, ProviderUnavailable>
}

const stateOf = ({ phase, place, published }: InspectedKeys): string => {
  const now = Result.isSuccess(published) ? `at ${place} ${published.success}` : published.failure
  return phase === undefined || phase === "fresh" ? now : `${now} (the gateway's copy is ${phase})`
}

const keyFinding = (
  wanted: KeyHeader,
  key: Result.Result<CryptoKey, InvalidToken | ProviderUnavailable>,
  keys: InspectedKeys
): Finding => {
  const expected = wantedKey(wanted)
  if (Result.isSuccess(key)) {
    const state = keys.hasKey === false
      ? "only in the gateway's copy, and no longer published: the token is rejected when the copy is renewed"
      : "found"
    return { rule: "key", expected, found: `${state}; ${stateOf(keys)}` }
  }
  const error = key.failure
  const found = error._tag === "InvalidToken" ? `no key that fits; ${stateOf(keys)}` : error.detail
  return { rule: "key", expected, found, error }
}

const signatureExpected = "a signature that the key verifies"

const signatureFinding = Effect.fnUntraced(function*(
  key: Result.Result<CryptoKey, unknown>,
  name: string,
  { signature }: JwtParts
): Effect.fn.Return<Finding> {
  if (Result.isFailure(key)) {
    return skipped("signature", signatureExpected, "not checked, because there is no key for it")
  }
  const rejected = yield* Effect.result(signature(key.success))
  if (Result.isFailure(rejected)) {
    const error = rejected.failure
    return { rule: "signature", expected: signatureExpected, found: error.detail, error }
  }
  return rejected.success === undefined
    ? { rule: "signature", expected: signatureExpected, found: "it is valid" }
    : rejectedBy("signature", signatureExpected, rejected.success, name)
})

/** Checks all rules about a token, in the order of the verification. */
export const inspectJwt = Effect.fnUntraced(function*(
  token: CheckedJwt,
  parts: JwtParts
): Effect.fn.Return<Inspection> {
  const { claims, rules } = token
  const key = yield* Effect.result(parts.key)
  const keys = yield* parts.keys
  const findings = [
    ...applied(headerRules, token, rules.name),
    keyFinding(parts.wanted, key, keys),
    yield* signatureFinding(key, rules.name, parts),
    ...applied([...claimRules, subjectRule, scopesRule], token, rules.name)
  ]
  const identity = identityFromClaims(claims, rules)
  return {
    findings,
    claims,
    rules,
    identity: Result.isSuccess(identity) ? identity.success : undefined,
    clockDifference: keys.clockDifference
  }
})
