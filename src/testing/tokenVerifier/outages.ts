/** During an outage of the provider, tokens cannot be verified, which is never the caller's fault. */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Issuer } from "../../issuer/Issuer.ts"
import { Misbehaviour } from "../../issuer/Misbehaviour.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { int, oneOf, text } from "./arbitrary.ts"
import type { JwtVerifierSettings } from "./JwtVerifierOptions.ts"
import { accepted, acceptedAtLast, notRejected, unavailable, whileTimePasses } from "./verdict.ts"
import { VerifierUnderTest } from "./VerifierUnderTest.ts"

/** Responses of a provider that are not what was requested. */
export const badResponses: ReadonlyArray<Misbehaviour> = [
  Misbehaviour.Respond({ status: 500 }),
  Misbehaviour.Respond({ status: 503, body: "" }),
  Misbehaviour.Respond({ status: 429, headers: { "retry-after": "1" } }),
  Misbehaviour.Respond({ status: 200, headers: { "content-type": "text/html" }, body: "<html>Sign in</html>" }),
  Misbehaviour.Respond({ status: 200, body: "" }),
  Misbehaviour.Redirect({ location: "https://evil.example/" }),
  Misbehaviour.Hang(),
  Misbehaviour.Disconnect({ after: "Request" }),
  Misbehaviour.Disconnect({ after: "Head" }),
  Misbehaviour.Disconnect({ after: "HalfBody" })
]

/** Responses that are not key sets despite status 200, or that fail. */
const noKeySets: ReadonlyArray<Misbehaviour> = [
  ...badResponses,
  Misbehaviour.Respond({ status: 404 }),
  Misbehaviour.Respond({ status: 401 }),
  Misbehaviour.Respond({ status: 204, body: "" }),
  Misbehaviour.Respond({ body: "{}" }),
  Misbehaviour.Respond({ body: "[]" }),
  Misbehaviour.Respond({ body: "{\"keys\":" }),
  Misbehaviour.Respond({ body: "{\"keys\":null}" })
]

/** All paths to the keys of a test issuer. */
export const keyPaths = [
  "/jwks",
  "/oauth2/jwks",
  "/.well-known/openid-configuration",
  "/.well-known/oauth-authorization-server"
]

/** So long that no token expires while a verifier waits. */
const expiresIn = "12 hours"

const breakKeys = (issuer: Issuer, misbehaviour: Misbehaviour): Effect.Effect<void> =>
  Effect.forEach(keyPaths, (path) => issuer.misbehave(path, misbehaviour, Infinity), { discard: true })

/** The requirements on outages, for verifiers that fetch their keys. */
export const outages = (
  { algorithms, fetchesKeys }: JwtVerifierSettings
): ReadonlyArray<Requirement<VerifierUnderTest>> =>
  fetchesKeys
    ? [
      requirement(
        {
          id: "JWT-70",
          title: "MUST start without keys, fail with ProviderUnavailable until there are some, and recover by itself",
          source: "RFC 9110, section 15.6",
          runs: 2
        },
        { key: oneOf(algorithms), sub: text },
        ({ key, sub }) =>
          Effect.gen(function*() {
            const subject = yield* VerifierUnderTest
            // Each in its own scope, so that it can reuse the keys of the previous one.
            const checkOne = Effect.fnUntraced(function*(misbehaviour: Misbehaviour) {
              const { issuer, sign, verify } = yield* subject.anew((issuer) => breakKeys(issuer, misbehaviour))
              yield* whileTimePasses(Effect.gen(function*() {
                yield* unavailable(verify, yield* sign({ key, expiresIn }))
                yield* unavailable(verify, yield* sign({ key, expiresIn, claims: { sub } }))
              }))
              yield* issuer.behave()
              yield* acceptedAtLast(verify, sign({ key }))
            }, Effect.scoped)
            yield* Effect.forEach(noKeySets, checkOne, { discard: true })
          })
      ),
      requirement(
        {
          id: "JWT-71",
          title: "MUST NOT reject a valid token while the provider is down, with or without cached keys",
          source: "RFC 9110, section 15.6; GHSA-fhv5-28vv-h8m8",
          runs: 2
        },
        { minutes: int(0, 300) },
        ({ minutes }) =>
          Effect.gen(function*() {
            const subject = yield* VerifierUnderTest
            const checkOne = Effect.fnUntraced(function*(misbehaviour: Misbehaviour) {
              const { issuer, sign, verify } = yield* subject.anew()
              yield* accepted(verify, yield* sign())
              yield* breakKeys(issuer, misbehaviour)
              for (const pause of [minutes, 60, 24 * 60]) {
                yield* TestClock.adjust(pause * 60_000)
                for (let look = 0; look < 2; look++) {
                  yield* whileTimePasses(notRejected(verify, yield* sign({ expiresIn })))
                }
              }
              yield* issuer.behave()
              yield* acceptedAtLast(verify, sign())
            }, Effect.scoped)
            yield* Effect.forEach(noKeySets, checkOne, { discard: true })
          })
      )
    ]
    : []
