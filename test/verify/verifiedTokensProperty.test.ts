import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import type { VerificationError } from "../../src/errors/GatewayError.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { makeSigningKey, type SigningKey } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { sha256 } from "../../src/node/sha256.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import { Sha256 } from "../../src/verify/tokenDigest.ts"
import { makeVerifiedTokens } from "../../src/verify/VerifiedTokens.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { counted, jwksPath, settled, together, withChaos } from "../keys/chaos.ts"
import { skew, start } from "./support.ts"

const which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 }))

/** What may happen between two requests. */
const event = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("issue"), life: Schema.Literals([60, 400, 7200]), early: Schema.Boolean }),
  Schema.Struct({ kind: Schema.Literal("rotate") }),
  Schema.Struct({ kind: Schema.Literal("remove"), which }),
  Schema.Struct({ kind: Schema.Literal("replace"), which }),
  Schema.Struct({ kind: Schema.Literal("restore"), which }),
  Schema.Struct({ kind: Schema.Literal("pass"), seconds: Schema.Literals([1, 10, 31, 61, 295, 305]) }),
  Schema.Struct({ kind: Schema.Literal("pass"), seconds: Schema.Literals([1, 31, 61, 305, 400, 3600]) }),
  Schema.Struct({ kind: Schema.Literal("back"), seconds: Schema.Literals([1, 61, 600]) }),
  Schema.Struct({ kind: Schema.Literal("outage"), isDown: Schema.Boolean })
])

const events = Schema.Array(event).check(Schema.isMinLength(20), Schema.isMaxLength(40))

type Events = typeof events.Type

interface Key {
  readonly signer: SigningKey
  /** Seconds that have passed when it was last published; `undefined` while it is. */
  removedAt: number | undefined
}

interface Issued {
  readonly token: string
  readonly key: Key
  readonly nbf: number
  readonly exp: number
}

const seen = { hits: 0, known: 0, withdrawn: 0, outages: 0, rejected: new Set<string>() }

const outcome = <A>(verify: Effect.Effect<A, VerificationError>) =>
  Effect.match(verify, {
    onFailure: (error) => error._tag === "InvalidToken" ? error.reason : error._tag,
    onSuccess: () => "accepted"
  })

/** Two gateways on one key cache, one with a memory of verified tokens and one without. */
const gateways = Effect.fnUntraced(function*(issuer: TestIssuer["Service"]) {
  const registry = yield* ProviderRegistry.make({ providers: [jwtProvider(issuer)], clockSkewSeconds: skew })
  const verified = yield* Effect.provideService(makeVerifiedTokens(), ProviderRegistry, {
    ...registry,
    // Tokens that only push others out of the memory.
    select: (token) =>
      Redacted.value(token).startsWith("filling-")
        ? Effect.succeed({
          name: "filling",
          verify: Effect.succeed({
            identity: {
              subject: "filling",
              clientId: undefined,
              issuer: "filling",
              scopes: [],
              email: undefined,
              name: undefined,
              provider: "filling",
              expiresAt: start * 2,
              claims: {}
            },
            validity: { until: start * 2000 }
          })
        })
        : registry.select(token)
  })
  return {
    remembering: (token: string) => outcome(verified.verify(BearerToken.make(token))),
    known: (token: string) => verified.peek?.(token) !== undefined,
    forgetful: (token: string) =>
      outcome(Effect.flatMap(registry.select(BearerToken.make(token)), ({ verify }) => verify)),
    evict: together(Array.from({ length: 8_192 }, (_, index) => verified.verify(BearerToken.make(`filling-${index}`))))
  }
})

const run = Effect.fnUntraced(function*(events: Events, evictAt: number) {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make({ algorithms: ["ES256"] })
  const keys: Array<Key> = []
  const tokens: Array<Issued> = []
  let generation = 0
  // The elapsed time, independent of the wall clock, and when the provider was last down.
  let elapsed = 0
  let downAt = Number.NEGATIVE_INFINITY
  let isDown = false

  const add = Effect.fnUntraced(function*(kid: string) {
    const signer = yield* makeSigningKey({ algorithm: "ES256", kid })
    keys.push({ signer, removedAt: undefined })
  })
  const response = Effect.suspend(() => {
    const published = keys.filter(({ removedAt }) => removedAt === undefined).map(({ signer }) => signer.publicJwk)
    const good = Misbehaviour.Respond({ body: JSON.stringify({ keys: published }) })
    return Effect.andThen(
      issuer.behave(),
      issuer.misbehave(jwksPath, isDown ? Misbehaviour.Respond({ status: 503 }) : good, Infinity)
    )
  })
  const now = Effect.map(TestClock.testClockWith((clock) => clock.currentTimeMillis), (millis) => millis / 1000)

  yield* add("key-0")
  yield* response
  const { evict, forgetful, known, remembering } = yield* gateways(issuer)
  yield* settled

  const check = Effect.fnUntraced(function*({ exp, key, nbf, token }: Issued) {
    // Both sides: a fetch that one of them causes may end before the other's turn.
    const before = yield* forgetful(token)
    const isKnown = known(token)
    const outcome = yield* remembering(token)
    if (isKnown) {
      seen.known += 1
      assert.strictEqual(outcome, "accepted")
    }
    const after = yield* forgetful(token)
    if (outcome !== "accepted") {
      seen.rejected.add(outcome)
      return
    }
    assert.include([before, after], "accepted")
    const time = yield* now
    assert.isTrue(time < exp + skew && nbf <= time + skew)
    if (key.removedAt === undefined) return
    // A fetched set is believed for 5 minutes, and for an hour more after it if the provider has been down since.
    const grace = downAt >= key.removedAt ? 3600 : 0
    assert.isAtMost(elapsed - key.removedAt, 300 + 5 + grace)
    seen.withdrawn += 1
  })

  for (const [index, event] of [...events, { kind: "present" } as const].entries()) {
    if (index === evictAt) yield* evict
    switch (event.kind) {
      case "issue": {
        const key = keys.findLast(({ removedAt }) => removedAt === undefined) ?? keys[0]
        const time = yield* now
        const [nbf, exp] = [event.early ? time + 30 : time - 7200, time + event.life]
        if (key !== undefined) {
          const token = yield* issuer.sign({
            key: key.signer,
            claims: { iat: undefined, nbf, exp, jti: String(index) }
          })
          tokens.push({ token, key, nbf, exp })
        }
        break
      }
      case "present":
        for (const issued of tokens) yield* check(issued)
        break
      case "rotate":
        generation += 1
        yield* add(`key-${generation}`)
        break
      case "remove":
      case "replace":
      case "restore": {
        const key = keys[event.which]
        // There is no token with this number yet.
        if (key === undefined) break
        if (event.kind === "restore") key.removedAt = undefined
        else key.removedAt ??= elapsed
        // Another key takes its place, and its id.
        if (event.kind === "replace") yield* add(key.signer.kid)
        break
      }
      case "pass":
        elapsed += event.seconds
        yield* TestClock.adjust(`${event.seconds} seconds`)
        break
      case "back":
        yield* TestClock.setTime(((yield* now) - event.seconds) * 1000)
        break
      case "outage":
        isDown = event.isDown
        seen.outages += 1
    }
    if (isDown) downAt = elapsed
    yield* response
    for (const issued of tokens.slice(-6)) yield* check(issued)
    yield* settled
  }
  seen.hits += yield* counted("mcp_authorizer.verdict.lookups", { outcome: "hit" })
})

describe("Verified tokens under any history", () => {
  it.effect.prop(
    "CACHE-02 JWKS-22 are accepted only if a fresh verification accepts them too, within the documented staleness",
    { events, evictAt: Schema.Literals([...Array.from({ length: 11 }, () => -1), 8]) },
    ({ events, evictAt }) => withChaos(run(events, evictAt)).pipe(Effect.provideService(Sha256, sha256)),
    { arbitrary: { runs: 40 } }
  )

  it("the property has seen cached verdicts, withdrawn keys, outages and rejections of all kinds", () => {
    assert.isAbove(seen.hits, 50)
    assert.isAbove(seen.known, 50)
    assert.isAbove(seen.withdrawn, 5)
    assert.isAbove(seen.outages, 10)
    assert.includeMembers([...seen.rejected], ["Expired", "NotYetValid", "UnknownKey", "ProviderUnavailable"])
  })
})
