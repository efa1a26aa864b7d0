import * as Effect from "effect/Effect"
import type { SignOptions } from "../../issuer/TestIssuerOptions.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { int, text } from "./arbitrary.ts"
import { partsOf } from "./compactToken.ts"
import { keepsSecret, secretBearer } from "./secrecy.ts"
import { VerifierUnderTest } from "./VerifierUnderTest.ts"

/** Changes for which a token is rejected, each with a different error. */
const spoilt: ReadonlyArray<SignOptions> = [
  {},
  { expiresIn: "-1000000 seconds" },
  { claims: { aud: "https://other.example" } },
  { claims: { iss: "https://other.example" } },
  { claims: { sub: undefined } },
  { claims: { exp: "soon" } },
  { claims: { nbf: 4_000_000_000 } },
  { header: { alg: "none" } },
  { header: { alg: "HS256" } },
  { header: { kid: "unknown" } },
  { header: { crit: ["x"] } },
  { headerJson: "{\"alg\":" },
  { payloadJson: "[]" }
]

/** The requirement that nothing reveals a token. */
export const jwtSecrecy: Requirement<VerifierUnderTest> = requirement(
  {
    id: "JWT-80",
    title: "MUST NOT show a token, a part of it, or who it is for, in an error, in the log or in a span",
    source: "RFC 6750, section 5.3; CWE-532",
    runs: 3
  },
  { cut: int(1, 7), sub: text },
  ({ cut, sub }) =>
    Effect.gen(function*() {
      const { sign, verify } = yield* VerifierUnderTest
      for (const spoil of spoilt) {
        const { email, name, subject } = secretBearer
        const token = yield* sign({ ...spoil, claims: { sub: subject + sub, email, name, ...spoil.claims } })
        yield* keepsSecret(verify, token)
        yield* keepsSecret(verify, token.slice(0, -cut))
        yield* keepsSecret(verify, partsOf(token).slice(1).join("."))
      }
    })
)
