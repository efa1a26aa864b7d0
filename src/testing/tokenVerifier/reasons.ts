/** A rejection has a reason, for the client and for the log. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { InvalidTokenReason } from "../../errors/GatewayError.ts"
import type { SignOptions } from "../../issuer/TestIssuerOptions.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { int } from "./arbitrary.ts"
import { partsOf } from "./compactToken.ts"
import type { JwtVerifierSettings } from "./JwtVerifierOptions.ts"
import { rejected } from "./verdict.ts"
import { VerifierUnderTest } from "./VerifierUnderTest.ts"

/** Problems of a token, each with the matching reason. `ValidationFailed` always matches. */
const faults: ReadonlyArray<readonly [changes: (seconds: number) => SignOptions, reason: InvalidTokenReason]> = [
  [(seconds) => ({ expiresIn: Duration.seconds(-1_000 - seconds) }), "Expired"],
  [(seconds) => ({ claims: { nbf: 2_000_000_000 + seconds, exp: 2_000_100_000 + seconds } }), "NotYetValid"],
  [() => ({ claims: { iss: "https://other.example" } }), "InvalidIssuer"],
  [() => ({ claims: { sub: undefined, client_id: undefined, azp: undefined } }), "MissingClaim"],
  [() => ({ claims: { exp: undefined } }), "MissingClaim"],
  [() => ({ header: { alg: "none" } }), "UnsupportedAlgorithm"]
]

/** The requirement on the reasons of rejections. */
export const reasons = ({ checksAudience }: JwtVerifierSettings): ReadonlyArray<Requirement<VerifierUnderTest>> => [
  requirement(
    {
      id: "JWT-81",
      title: "MUST reject a token for the right reason, or for no reason in particular",
      source: "RFC 6750, section 3.1",
      runs: 5
    },
    { seconds: int(0, 1_000_000) },
    ({ seconds }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const assertReason = Effect.fnUntraced(function*(token: string, ...fitting: ReadonlyArray<InvalidTokenReason>) {
          const { reason } = yield* rejected(verify, token)
          assert.include([...fitting, "ValidationFailed"], reason)
        })
        for (const [changes, reason] of faults) yield* assertReason(yield* sign(changes(seconds)), reason)
        if (checksAudience) {
          yield* assertReason(yield* sign({ claims: { aud: "https://other.example" } }), "InvalidAudience")
        }
        const [header, payload] = partsOf(yield* sign())
        const [, , signature] = partsOf(yield* sign({ claims: { sub: "another" } }))
        yield* assertReason(`${header}.${payload}.${signature}`, "InvalidSignature", "UnknownKey")
        yield* assertReason("not-a-token", "MalformedToken", "UnknownToken")
      })
  )
]
