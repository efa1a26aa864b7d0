import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { generateKeyPairSync, randomInt, sign as signBytes } from "node:crypto"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { forge, makeDice } from "./forgeries.ts"
import { verifierOf, withProviders } from "./support.ts"

const start = 1_800_000_000

const forgeries = 100_000
const controls = 1_000

/** `FORGERY_SEED=fresh` draws one, which a failure names; without it every run is the same. */
const chooseSeed = Effect.gen(function*() {
  const given = yield* Config.withDefault(Config.String("FORGERY_SEED"), "1")
  return given === "fresh" ? randomInt(2 ** 32) : Number(given)
})

describe("forged tokens", () => {
  it.effect(
    "JOSE-31 accepts none of 100,000 forgeries, and all of 1,000 good tokens",
    () =>
      withProviders(Effect.gen(function*() {
        yield* TestClock.setTime(start * 1000)
        const issuer = yield* TestIssuer.make({ algorithms: ["ES256"] })
        const verify = yield* verifierOf(jwtProvider(issuer, { algorithms: ["ES256"] }))
        const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" })
        const { publicJwk } = yield* issuer.key()

        const good = Array.from({ length: controls }, (_, index) => issuer.sign({ claims: { sub: `user-${index}` } }))
        const tokens = yield* Effect.all(good)
        const forger = {
          tokens: tokens.slice(0, 16),
          publicTexts: [
            JSON.stringify(publicJwk),
            stranger.publicKey.export({ format: "pem", type: "spki" }).toString(),
            "ES256-1"
          ],
          signAsStranger: (header: string, payload: string) => {
            const input = `${Buffer.from(header).toString("base64url")}.${Buffer.from(payload).toString("base64url")}`
            const signature = signBytes("sha256", Buffer.from(input), {
              key: stranger.privateKey,
              dsaEncoding: "ieee-p1363"
            })
            return `${input}.${signature.toString("base64url")}`
          }
        }

        const seed = yield* chooseSeed
        const dice = makeDice(seed)
        const reasons = new Map<string, number>()
        for (let index = 0; index < forgeries; index++) {
          const token = forge(dice, forger)
          if (forger.tokens.includes(token)) continue
          const verdict = yield* Effect.result(verify(token))
          assert.isTrue(Result.isFailure(verdict), `seed ${seed}, forgery ${index}: accepted ${token}`)
          if (Result.isFailure(verdict)) {
            const { failure } = verdict
            assert.strictEqual(failure._tag, "InvalidToken", `seed ${seed}, forgery ${index}: ${token}`)
            if (failure._tag === "InvalidToken") reasons.set(failure.reason, (reasons.get(failure.reason) ?? 0) + 1)
          }
        }
        // The generator reaches every stage of verification, not only the first.
        for (
          const reason of ["MalformedToken", "UnsupportedAlgorithm", "UnknownKey", "InvalidSignature", "InvalidIssuer"]
        ) {
          assert.isAbove(reasons.get(reason) ?? 0, 500, reason)
        }
        for (const token of tokens) yield* verify(token)
      })),
    120_000
  )
})
