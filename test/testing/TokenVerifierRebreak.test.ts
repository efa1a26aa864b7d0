/** Verifiers with one defect each, as others had it, and the requirements that notice. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TokenVerifierTest from "../../src/testing/TokenVerifierTest.ts"
import { violations } from "../support/violations.ts"
import { type Broken, brokenSteps, type Verifier } from "./brokenSteps.ts"
import * as Forgetful from "./forgetfulVerifiers.ts"
import { handMade } from "./handMadeVerifier.ts"
import * as Wrapped from "./wrappedVerifiers.ts"

const options: TokenVerifierTest.JwtVerifierOptions = { algorithms: ["ES256"] }

const violationsOf = (subject: Verifier, ids?: ReadonlyArray<string>) =>
  violations(
    TokenVerifierTest.requirements(options).filter(({ id }) => ids?.includes(id) ?? true).map((each) =>
      // Without a defect, some values each will do.
      ids === undefined ? Object.assign({}, each, { runs: Math.min(each.runs ?? 8, 8) }) : each
    )
  ).pipe(
    Effect.provide(TokenVerifierTest.layer(subject, options))
  )

const violationsOfOpaque = (subject: Verifier, ids?: ReadonlyArray<string>) =>
  violations(TokenVerifierTest.requirementsOpaque().filter(({ id }) => ids?.includes(id) ?? true)).pipe(
    Effect.provide(TokenVerifierTest.layerOpaque(subject, TokenVerifierTest.issuerTokens({ introspected: true })))
  )

const brokenWrappers: ReadonlyArray<Broken> = [
  ["JOSE-14: fetches the key from where the token says", ["JWT-30"], Wrapped.fetchingJku],
  ["CVE-2026-35039: remembers by the payload", ["JWT-60"], Wrapped.rememberingBy((token) => token.split(".")[1] ?? "")],
  [
    "CVE-2026-35030: remembers by the first characters",
    ["JWT-60"],
    Wrapped.rememberingBy((token) => token.slice(0, 20))
  ],
  ["CACHE-01: remembers beyond the end", ["JWT-62"], Wrapped.rememberingBy((token) => token)],
  ["CACHE-01: knows beyond the end", ["JWT-62"], Wrapped.knowingBy((token) => token)],
  ["CACHE-04: knows by the payload", ["JWT-60"], Wrapped.knowingBy((token) => token.split(".")[1] ?? "")],
  ["CACHE-06: rejects a token that it has seen", ["JWT-61"], Wrapped.oneTime(Wrapped.gateway)],
  ["CVE-2026-32887: confuses concurrent callers", ["JWT-60"], Wrapped.confusing(Wrapped.gateway)],
  ["JWKS-21: blames the token for an outage", ["JWT-70", "JWT-71"], Wrapped.blaming(Wrapped.gateway)],
  ["GHSA-fhv5-28vv-h8m8: an outage clears the keys", ["JWT-71"], Wrapped.forgettingKeys],
  ["ERR-08: dies of rejections", ["JWT-12", "JWT-20", "JWT-50"], Wrapped.dying(Wrapped.gateway)],
  ["ERR-03: shows the token in its errors", ["JWT-80"], Wrapped.telling(Wrapped.gateway)],
  ["ERR-03: shows the token in the log", ["JWT-80"], Wrapped.logging(Wrapped.gateway)],
  ["ERR-03: shows the token in a span", ["JWT-80"], Wrapped.tracing(Wrapped.gateway)],
  ["rejects tokens of members of many groups", ["JWT-09"], Wrapped.cramped(Wrapped.gateway)],
  ["ends a shared question with the first who asked it", ["JWT-64"], Wrapped.abandoning(Wrapped.gateway)],
  ["accepts no token after a client has left", ["JWT-64"], Wrapped.stuck(Wrapped.gateway)],
  ["JWKS-23: remembers a rejection across a rotation", ["JWT-65"], Wrapped.resentful(Wrapped.gateway)],
  ["JWKS-21: believes acquaintances in an outage", ["JWT-72"], Wrapped.trustingAcquaintances],
  ["ERR-02: blames the signature for everything", ["JWT-81"], Wrapped.misreporting(Wrapped.gateway)],
  ["compares key ids without their case", ["JWT-31"], handMade({ key: Wrapped.keyInAnyCase })],
  ["normalises subjects, so that two become one", ["JWT-05"], Wrapped.normalising(Wrapped.gateway)],
  ["ERR-03: writes who calls into the log", ["JWT-80"], Wrapped.gossiping(Wrapped.gateway)],
  ["fails where many come at the same time", ["JWT-60"], Wrapped.overwhelmed(Wrapped.gateway)],
  ["names no time after which to come again", ["JWT-70"], Wrapped.confused(Wrapped.gateway)],
  ["JWKS-21: keeps after an outage what was only meant for it", ["JWT-75"], Wrapped.shaken(Wrapped.gateway)],
  ["waits for a provider that does not respond", ["JWT-76"], Wrapped.patient(Wrapped.gateway)],
  ["lets no caller leave", ["JWT-64"], Wrapped.holding(Wrapped.gateway)],
  ["shortens subjects, so that two become one", ["JWT-05"], Wrapped.shortening(Wrapped.gateway)],
  ["takes the client for the audience", ["JWT-45"], Forgetful.takingClientForAudience(Wrapped.gateway)],
  ["reports unverified e-mail addresses", ["JWT-46"], Forgetful.trustingEmail(Wrapped.gateway)],
  ["changes identities that it has returned", ["JWT-66"], Forgetful.sharing(Wrapped.gateway)],
  ["verifies one token after the other", ["JWT-67"], Wrapped.singleFile(Wrapped.gateway)],
  ["accepts expired tokens in an outage", ["JWT-73"], Forgetful.clinging(Wrapped.gateway)]
]

const brokenOpaque: ReadonlyArray<Broken> = [
  [
    "CVE-2026-35030: remembers by the first characters",
    ["OPAQUE-02"],
    Wrapped.rememberingBy((token) => token.slice(0, 20), Wrapped.introspected)
  ],
  [
    "OPQ-09: remembers in lower case",
    ["OPAQUE-02"],
    Wrapped.rememberingBy((token) => token.toLowerCase(), Wrapped.introspected)
  ],
  [
    "OPQ-10: remembers for ever",
    ["OPAQUE-04", "OPAQUE-05"],
    Wrapped.rememberingBy((token) => token, Wrapped.introspected)
  ],
  ["OPQ-10: knows for ever", ["OPAQUE-04", "OPAQUE-05"], Wrapped.knowingBy((token) => token, Wrapped.introspected)],
  ["OPQ-14: confuses concurrent callers", ["OPAQUE-03"], Wrapped.confusing(Wrapped.introspected)],
  ["OPQ-06: blames the token for an outage", ["OPAQUE-06"], Wrapped.blaming(Wrapped.introspected)],
  ["OPQ-07: accepts tokens while the provider is unavailable", ["OPAQUE-06"], Wrapped.trusting(Wrapped.introspected)],
  ["ERR-08: dies of rejections", ["OPAQUE-02"], Wrapped.dying(Wrapped.introspected)],
  ["ERR-03: shows the token in its errors", ["OPAQUE-07"], Wrapped.telling(Wrapped.introspected)],
  ["CLM-15: makes up scopes", ["OPAQUE-01"], Wrapped.granting(Wrapped.introspected)],
  ["OPQ-03: counts a text as active", ["OPAQUE-09"], Wrapped.believingActive],
  ["OPQ-04: does not look for whom an opaque token is", ["OPAQUE-09"], Wrapped.believingAudience],
  ["OPQ-04: does not look who has issued an opaque token", ["OPAQUE-09"], Wrapped.believingIssuer],
  ["CLM-06: does not look at nbf of an opaque token", ["OPAQUE-09"], Wrapped.believingBegin],
  ["CLM-01: does not look at exp of an opaque token", ["OPAQUE-01", "OPAQUE-09"], Wrapped.believingEnd],
  ["OPQ-06: asks a provider that is down again and again", ["OPAQUE-10"], Wrapped.persistent(Wrapped.introspected)],
  ["ends a shared question with the first who asked it", ["OPAQUE-11"], Wrapped.abandoning(Wrapped.introspected)],
  ["accepts no token after a client has left", ["OPAQUE-11"], Wrapped.stuck(Wrapped.introspected)],
  ["ERR-03: writes who calls into the log", ["OPAQUE-07"], Wrapped.gossiping(Wrapped.introspected)],
  ["ERR-03: shows the token in a span", ["OPAQUE-07"], Wrapped.tracing(Wrapped.introspected)],
  ["takes all that the provider calls active", ["OPAQUE-08"], Wrapped.takingRefresh(Wrapped.introspected)],
  ["verifies one token after the other", ["OPAQUE-12"], Wrapped.singleFile(Wrapped.introspected)],
  ["waits for a provider that does not respond", ["OPAQUE-13"], Wrapped.patient(Wrapped.introspected)],
  ["lets no caller leave", ["OPAQUE-13"], Wrapped.holding(Wrapped.introspected)],
  ["asks no more after one failure", ["OPAQUE-14"], Wrapped.discouraged(Wrapped.introspected)],
  ["shortens subjects, so that two become one", ["OPAQUE-01"], Wrapped.shortening(Wrapped.introspected)],
  ["accepts revoked tokens in an outage", ["OPAQUE-15"], Forgetful.clinging(Wrapped.introspected)],
  ["remembers a rejection for ever", ["OPAQUE-16"], Wrapped.resentful(Wrapped.introspected)],
  ["changes identities that it has returned", ["OPAQUE-17"], Forgetful.sharing(Wrapped.introspected)],
  ["reports unverified e-mail addresses", ["OPAQUE-18"], Forgetful.trustingEmail(Wrapped.introspected)],
  ["lets known tokens wait for unknown ones", ["OPAQUE-19"], Wrapped.singleFile(Wrapped.introspected)]
]

const idsOf = (table: ReadonlyArray<Broken>): ReadonlyArray<string> => table.flatMap(([, violated]) => violated)

const assertNone = (ids: ReadonlyArray<string>) => assert.deepStrictEqual(ids, [])

describe("TokenVerifierTest on verifiers with one defect", () => {
  it.effect(
    "positive control: the verifier made by hand has none",
    () => Effect.map(violationsOf(handMade()), assertNone),
    120_000
  )

  it.effect(
    "positive control: our verifier of JWTs has none",
    () => Effect.map(violationsOf(Wrapped.gateway, idsOf(brokenWrappers)), assertNone),
    120_000
  )

  it.effect(
    "positive control: our verifier of opaque tokens has none",
    () => Effect.map(violationsOfOpaque(Wrapped.introspected), assertNone),
    120_000
  )

  it("has a defect for each requirement", () => {
    const noticed = new Set(idsOf([...brokenSteps, ...brokenWrappers, ...brokenOpaque]))
    const demanded = [...TokenVerifierTest.requirements(options), ...TokenVerifierTest.requirementsOpaque()]
    assert.deepStrictEqual(demanded.map(({ id }) => id).filter((id) => !noticed.has(id)), [])
  })

  for (const [defect, violated, subject] of [...brokenSteps, ...brokenWrappers]) {
    it.effect(`notices by ${violated.join(", ")}: ${defect}`, () =>
      Effect.map(violationsOf(subject, violated), (ids) => assert.deepStrictEqual(ids, violated)))
  }

  for (const [defect, violated, subject] of brokenOpaque) {
    it.effect(`notices by ${violated.join(", ")}: ${defect}`, () =>
      Effect.map(violationsOfOpaque(subject, violated), (ids) => assert.deepStrictEqual(ids, violated)))
  }
})
