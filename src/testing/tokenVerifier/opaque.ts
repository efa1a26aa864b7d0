/** Opaque tokens are accepted only if, and only as long as, the provider accepts them. */
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Identity } from "../../identity/Identity.ts"
import { nowSeconds } from "../../issuer/nowSeconds.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { either, int, oneOf, scopes, subject, text, textOf, tokenCharacters } from "./arbitrary.ts"
import { encode } from "./compactToken.ts"
import { opaqueHistory } from "./opaqueHistory.ts"
import type { Bearer } from "./OpaqueTokens.ts"
import { opaqueTrust } from "./opaqueTrust.ts"
import { OpaqueVerifierUnderTest } from "./OpaqueVerifierUnderTest.ts"
import { keepsSecret, secretBearer } from "./secrecy.ts"
import {
  accepted,
  acceptedAtLast,
  notRejected,
  rejected,
  rejectedAlongside,
  unavailable,
  whileTimePasses
} from "./verdict.ts"

const bearers: Arbitrary.Arbitrary<Bearer> = Arbitrary.all({
  subject,
  clientId: text,
  scopes,
  email: text,
  name: text,
  expiresIn: Arbitrary.map(int(1_000, 100_000), Duration.seconds)
})

const ada: Bearer = {
  subject: "ada",
  clientId: "desktop",
  scopes: ["mcp:read"],
  email: "ada@example.com",
  name: "Ada",
  // So long that no token expires while a verifier waits.
  expiresIn: Duration.hours(12)
}

/** Asserts that an identity has everything that it must have. */
const assertSays = Effect.fnUntraced(function*(identity: Identity, bearer: Bearer, issuedAt: number) {
  const { settings: { says, skew } } = yield* OpaqueVerifierUnderTest
  const said = <A, B>(claim: typeof says[number], value: A, otherwise: B) => says.includes(claim) ? value : otherwise
  assert.strictEqual(identity.subject, bearer.subject)
  assert.strictEqual(identity.clientId, said("clientId", bearer.clientId, undefined))
  assert.deepStrictEqual(identity.scopes, said("scopes", bearer.scopes, []))
  assert.strictEqual(identity.email, said("email", bearer.email, undefined))
  assert.strictEqual(identity.name, said("name", bearer.name, undefined))
  if (identity.expiresAt !== undefined) {
    assert.isAtMost(Math.abs(identity.expiresAt - issuedAt - Duration.toSeconds(bearer.expiresIn)), skew)
  } else if (says.includes("expiresAt")) assert.fail("the identity does not say when the token ends")
})

/** Forgeries of a known token: always text that a Bearer credential may have. */
const madeUp = either<(token: string) => string>(
  Arbitrary.map(Arbitrary.all({ at: int(0, 1_000), by: int(1, 60) }), ({ at, by }) => (token: string) => {
    const position = at % token.length
    const index = tokenCharacters.indexOf(token[position] ?? "")
    const other = tokenCharacters[(index + by) % tokenCharacters.length] ?? "A"
    return token.slice(0, position) + other + token.slice(position + 1)
  }),
  Arbitrary.map(textOf(tokenCharacters, { minLength: 1, maxLength: 20 }), (more) => (token: string) => token + more),
  Arbitrary.map(textOf(tokenCharacters, { minLength: 1, maxLength: 20 }), (more) => (token: string) => more + token),
  Arbitrary.map(int(1, 30), (length) => (token: string) => token.slice(0, -length)),
  Arbitrary.map(int(1, 30), (length) => (token: string) => token.slice(length)),
  // The first characters of a valid token, followed by others.
  Arbitrary.map(
    textOf(tokenCharacters, { minLength: 8, maxLength: 8 }),
    (more) => (token: string) => token.slice(0, -8) + more
  )
)

const swapCase = (text: string): string => {
  const upper = text.toUpperCase()
  return upper === text ? text.toLowerCase() : upper
}

const listed: ReadonlyArray<(token: string) => string> = [
  // Prefixes and ids are case-sensitive, too.
  ...[1, 2, 4, 8, 16].map((length) => (token: string) => swapCase(token.slice(0, length)) + token.slice(length)),
  ...[1, 8].map((length) => (token: string) => token.slice(0, -length) + swapCase(token.slice(-length))),
  (token) => token.toUpperCase(),
  (token) => token.toLowerCase(),
  (token) => `${token}=`,
  (token) => `${token}${token}`,
  (token) => [...token].toReversed().join(""),
  (token) => encode(token),
  () => `${encode("{\"alg\":\"none\"}")}.${encode("{\"sub\":\"ada\",\"active\":true}")}.`,
  (token) => `${encode("{\"alg\":\"none\"}")}.${encode(JSON.stringify({ sub: "ada", token }))}.${token}`,
  () => "undefined",
  () => "null",
  () => "true",
  () => "__proto__",
  () => "constructor",
  () => "A"
]

const forgeries = Arbitrary.map(
  Arbitrary.array(madeUp, { minLength: 8, maxLength: 16 }),
  (made) => (token: string) =>
    [...listed, ...made].map((forge) => forge(token)).filter((forged) => forged !== token && forged !== "")
)

const endOf = Effect.fnUntraced(function*(identity: Identity, life: number) {
  const { settings: { remembersSeconds, skew } } = yield* OpaqueVerifierUnderTest
  // If the provider does not report the expiry, the verifier finds out when it verifies the token again.
  return identity.expiresAt === undefined ? life + remembersSeconds : life + skew
})

const expiry: Requirement<OpaqueVerifierUnderTest> = requirement(
  {
    id: "OPAQUE-05",
    title: "MUST reject a token after its expiry, even if it was accepted before",
    source: "RFC 7662, section 4",
    runs: 15
  },
  { life: int(1, 1_000), looks: int(1, 3) },
  ({ life, looks }) =>
    Effect.gen(function*() {
      const { issue, verify } = yield* OpaqueVerifierUnderTest
      const token = yield* issue({ ...ada, expiresIn: Duration.seconds(life) })
      const identity = yield* accepted(verify, token)
      for (let look = 1; look < looks; look++) yield* accepted(verify, token)
      yield* TestClock.adjust((yield* endOf(identity, life)) * 1_000)
      yield* rejectedAlongside(verify, yield* issue(ada), token)
    })
)

/** Tokens that a hasty comparison takes for the given one: the same beginning, or the same end. */
const lookalikes: ReadonlyArray<(token: string) => string> = [
  (token) => token.slice(0, -4) + "AA.A",
  (token) => `${token.slice(0, 8)}AA.A${token.slice(12)}`
]

/** The requirements on verifiers of opaque tokens. */
export const opaque = (
  { expires }: { readonly expires: boolean }
): ReadonlyArray<Requirement<OpaqueVerifierUnderTest>> => [
  requirement(
    {
      id: "OPAQUE-01",
      title: "MUST accept what the provider has issued, and report exactly what it says about the bearer",
      source: "RFC 7662, section 2.2; OpenID Connect Core 1.0, section 5.3.2",
      runs: 30
    },
    { bearer: bearers },
    ({ bearer }) =>
      Effect.gen(function*() {
        const { issue, verify } = yield* OpaqueVerifierUnderTest
        const issuedAt = yield* nowSeconds
        const token = yield* issue(bearer)
        const first = yield* accepted(verify, token)
        yield* assertSays(first, bearer, issuedAt)
        assert.deepStrictEqual(yield* accepted(verify, token), first)
      })
  ),
  requirement(
    {
      id: "OPAQUE-02",
      title: "MUST reject tokens that were never issued, however similar to a known one",
      source: "RFC 7662, section 2.2; CVE-2026-35030",
      runs: 10
    },
    { forge: forgeries },
    ({ forge }) =>
      Effect.gen(function*() {
        const { issue, verify } = yield* OpaqueVerifierUnderTest
        const good = yield* issue(ada)
        for (const forged of forge(good)) yield* rejectedAlongside(verify, good, forged)
      })
  ),
  requirement(
    {
      id: "OPAQUE-03",
      title: "MUST give each bearer their own identity, even for concurrent requests",
      source: "CWE-362; CVE-2026-2581",
      runs: 10
    },
    { subjects: Arbitrary.array(subject, { minLength: 2, maxLength: 12 }), looks: int(1, 3) },
    ({ looks, subjects }) =>
      Effect.gen(function*() {
        const { issue, verify } = yield* OpaqueVerifierUnderTest
        const good = yield* Effect.forEach(
          subjects,
          (subject) => Effect.map(issue({ ...ada, subject }), (token) => ({ subject, token }))
        )
        const shown = Array.from({ length: looks }, () => good).flat()
        yield* Effect.forEach(
          shown,
          ({ subject, token }, index) =>
            index % 3 === 2
              ? Effect.asVoid(rejected(verify, lookalikes[index % lookalikes.length]?.(token) ?? ""))
              : Effect.map(accepted(verify, token), (identity) => assert.strictEqual(identity.subject, subject)),
          { concurrency: "unbounded", discard: true }
        )
      })
  ),
  requirement(
    {
      id: "OPAQUE-04",
      title: "MUST reject a revoked token, even if it was accepted before",
      source: "RFC 7009, section 2; RFC 7662, section 4",
      runs: 15
    },
    { looks: int(0, 3), pause: int(0, 600) },
    ({ looks, pause }) =>
      Effect.gen(function*() {
        const { issue, revoke, settings: { remembersSeconds }, verify } = yield* OpaqueVerifierUnderTest
        const [token, other] = [yield* issue(ada), yield* issue(ada)]
        for (let look = 0; look < looks; look++) yield* accepted(verify, token)
        yield* TestClock.adjust(pause * 1_000)
        yield* revoke(token)
        if (looks > 0) yield* TestClock.adjust(remembersSeconds * 1_000)
        yield* rejectedAlongside(verify, other, token)
      })
  ),
  ...(expires ? [expiry] : []),
  requirement(
    {
      id: "OPAQUE-06",
      title: "MUST fail with ProviderUnavailable in an outage, never reject a valid token, and recover by itself",
      source: "RFC 9110, section 15.6",
      runs: 3
    },
    { known: oneOf([true, false]), minutes: int(0, 60) },
    ({ known, minutes }) =>
      Effect.gen(function*() {
        const { issue, outages, verify } = yield* OpaqueVerifierUnderTest
        for (const outage of outages) {
          const [before, during] = [yield* issue(ada), yield* issue(ada)]
          if (known) yield* accepted(verify, before)
          yield* outage.begin
          yield* TestClock.adjust(minutes * 60_000)
          const look = Effect.gen(function*() {
            yield* unavailable(verify, during)
            // The verdict may be cached.
            yield* notRejected(verify, before)
            yield* unavailable(verify, during)
          })
          // So often that a verifier may stop asking for a while.
          yield* Effect.ensuring(whileTimePasses(Effect.repeat(look, { times: 2 })), outage.end)
          yield* acceptedAtLast(verify, Effect.succeed(during))
          yield* acceptedAtLast(verify, Effect.succeed(before))
        }
      })
  ),
  requirement(
    {
      id: "OPAQUE-08",
      title: "MUST reject refresh and ID tokens even if the provider calls them active",
      source: "RFC 7662, section 2.2; RFC 6749, section 1.5",
      runs: 2
    },
    { before: int(0, 1) },
    ({ before }) =>
      Effect.gen(function*() {
        const { issue, others, verify } = yield* OpaqueVerifierUnderTest
        const good = yield* issue(ada)
        if (before > 0) yield* accepted(verify, good)
        for (const other of yield* others) yield* rejectedAlongside(verify, good, other)
      })
  ),
  requirement(
    {
      id: "OPAQUE-07",
      title: "MUST NOT show a token, even a rejected one, or who it is for, in an error, in the log or in a span",
      source: "RFC 6750, section 5.3; CWE-532",
      runs: 2
    },
    { forge: forgeries },
    ({ forge }) =>
      Effect.gen(function*() {
        const { issue, outages, secrets, verify } = yield* OpaqueVerifierUnderTest
        const good = yield* issue({ ...ada, ...secretBearer })
        yield* keepsSecret(verify, good, secrets)
        // Shorter text may be in a log by coincidence.
        const long = forge(good).filter((forged) => forged.length >= 24)
        for (const forged of long) yield* keepsSecret(verify, forged, secrets)
        for (const outage of outages) {
          yield* outage.begin
          const look = Effect.flatMap(issue(ada), (token) => keepsSecret(verify, token, secrets))
          yield* Effect.ensuring(whileTimePasses(look), outage.end)
          yield* acceptedAtLast(verify, issue(ada))
        }
      })
  ),
  ...opaqueTrust,
  ...opaqueHistory({ expires })
]
