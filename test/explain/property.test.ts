/** For any token: the explanation decides as the verifier does, and shows neither the token nor its signature. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { generateKeyPairSync, sign as signBytes } from "node:crypto"
import type { VerificationError } from "../../src/errors/GatewayError.ts"
import type { Explanation } from "../../src/explain/Explanation.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { forge, makeDice } from "../verify/forgeries.ts"
import { start, withProviders } from "../verify/support.ts"
import { audience, makeGateway } from "./support.ts"

/** The decision of an explanation, in the verifier's terms. */
const decided = ({ outcome: { decision, detail, reason } }: Explanation): string =>
  decision === "accepted" ? "accepted" : `${reason}: ${detail}`

const verdictOf = (verdict: Result.Result<unknown, VerificationError | { readonly _tag: string }>): string =>
  Result.isSuccess(verdict)
    ? "accepted"
    : `${"reason" in verdict.failure ? verdict.failure.reason : verdict.failure._tag}: ${
      "detail" in verdict.failure ? verdict.failure.detail : ""
    }`

const times = [-7_200, -61, -60, -30, 0, 30, 59, 60, 61, 7_200, 1e15]

const values: ReadonlyArray<unknown> = [
  undefined,
  null,
  "",
  "x",
  audience,
  `${audience}/`,
  ["a", audience],
  [],
  0,
  true,
  { a: 1 },
  "Bearer",
  "Refresh",
  "mcp:read openid",
  "\u0007\u202e"
]

const names = [
  "iss",
  "sub",
  "aud",
  "azp",
  "client_id",
  "scope",
  "scp",
  "typ",
  "token_use",
  "nonce",
  "at_hash",
  "cnf",
  "sid",
  "tid",
  "email",
  "events"
] as const

describe("An explanation", () => {
  it.effect(
    "decides about forged tokens as the verifier does, and shows nothing of them",
    () =>
      withProviders(Effect.gen(function*() {
        yield* TestClock.setTime(start * 1000)
        const issuer = yield* TestIssuer.make({ audience, algorithms: ["ES256"] })
        const { decide, explained } = yield* makeGateway({
          providers: [{ type: "oidc", issuer: issuer.issuer, audience, algorithms: "ES256" }]
        })
        const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" })
        const forger = {
          tokens: yield* Effect.all([1, 2, 3, 4].map((index) => issuer.sign({ claims: { sub: `user-${index}` } }))),
          publicTexts: [JSON.stringify((yield* issuer.key()).publicJwk), "ES256-1"],
          signAsStranger: (header: string, payload: string) => {
            const input = `${Buffer.from(header).toString("base64url")}.${Buffer.from(payload).toString("base64url")}`
            const signature = signBytes("sha256", Buffer.from(input), {
              key: stranger.privateKey,
              dsaEncoding: "ieee-p1363"
            })
            return `${input}.${signature.toString("base64url")}`
          }
        }
        const dice = makeDice(15)
        const reasons = new Set<string>()
        for (let index = 0; index < 1_000; index++) {
          const token = forge(dice, forger)
          const explanation = yield* explained(token)
          assert.strictEqual(decided(explanation), verdictOf(yield* decide(token)), `forgery ${index}: ${token}`)
          reasons.add(explanation.outcome.reason ?? "")
        }
        assert.isAbove(reasons.size, 5, [...reasons].join())
      })),
    60_000
  )

  it.effect("decides about odd tokens of the issuer as the verifier does", () =>
    withProviders(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make({ audience, algorithms: ["ES256", "ES384"] })
      const { decide, explained } = yield* makeGateway({
        providers: [{ type: "oidc", issuer: issuer.issuer, audience, algorithms: "ES256", allowed_clients: "x" }]
      })
      const dice = makeDice(14)
      const pick = <A>(from: ReadonlyArray<A>): A | undefined => from[dice(from.length)]
      const reasons = new Map<string, number>()
      for (let index = 0; index < 1_000; index++) {
        const changes = Array.from({ length: dice(4) }, () => [pick(names) ?? "sub", pick(values)] as const)
        const token = yield* issuer.sign({
          claims: {
            client_id: "x",
            ...Object.fromEntries(changes),
            ...(dice(3) === 0 ? { [pick(["exp", "nbf", "iat"]) ?? "exp"]: start + (pick(times) ?? 0) } : {})
          },
          ...(dice(12) === 0 ? { key: "ES384" as const } : {}),
          ...(dice(12) === 0 ? { header: { typ: pick(["at+jwt", "logout+jwt", "JWT", "dpop+jwt"]) } } : {})
        })
        const explanation = yield* explained(token)
        assert.strictEqual(decided(explanation).split(":")[0], verdictOf(yield* decide(token)).split(":")[0], token)
        const { decision, reason = "accepted", step } = explanation.outcome
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
        if (decision === "rejected") {
          const found = explanation.steps.find(({ name }) => name === step)
          assert.strictEqual(found?.verdict, "fail")
          assert.isAbove(found?.fix?.length ?? 0, 20)
        } else assert.isUndefined(explanation.steps.find(({ verdict }) => verdict === "fail"))
      }
      for (
        const reason of ["accepted", "InvalidAudience", "InvalidIssuer", "Expired", "NotYetValid", "ValidationFailed"]
      ) {
        assert.isAbove(reasons.get(reason) ?? 0, 5, reason)
      }
    })), 60_000)
})
