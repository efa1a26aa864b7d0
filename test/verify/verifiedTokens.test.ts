import { assert, describe, it } from "@effect/vitest"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import { InvalidToken } from "../../src/errors/GatewayError.ts"
import { Requester } from "../../src/fairness/Requester.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { UnknownKey } from "../../src/keys/JwksSource.ts"
import { sha256 } from "../../src/node/sha256.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import { notedDigest, Sha256 } from "../../src/verify/tokenDigest.ts"
import type { Verdict } from "../../src/verify/Verdict.ts"
import { makeVerifiedTokens } from "../../src/verify/VerifiedTokens.ts"
import { jwtProvider, staticProvider, staticToken } from "../fixtures/providers.ts"
import { counted, gatewayOf, jwksPath, settled, together, withChaos } from "../keys/chaos.ts"
import { skew, start } from "./support.ts"

const lookUps = (outcome: "hit" | "miss") => counted("mcp_authorizer.verdict.lookups", { outcome })

const setUp = Effect.fnUntraced(function*() {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make({ algorithms: ["ES256"], expiresIn: "1 day" })
  const verify = yield* gatewayOf(jwtProvider(issuer))
  return { issuer, verify, hits: issuer.hits(jwksPath), remembered: lookUps("hit"), verified: lookUps("miss") }
})

describe("Verified tokens", () => {
  it.effect("are not verified again, even when their keys have been refetched", () =>
    withChaos(Effect.gen(function*() {
      const { hits, issuer, remembered, verified, verify } = yield* setUp()
      const token = yield* issuer.sign()
      for (let times = 0; times < 100; times++) assert.strictEqual(yield* verify(token), "accepted")
      assert.strictEqual(yield* verified, 1)
      assert.strictEqual(yield* remembered, 99)
      assert.strictEqual(yield* hits, 1)
      for (let refresh = 1; refresh <= 5; refresh++) {
        yield* issuer.rotate()
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual(yield* verify(token), "accepted")
        assert.strictEqual(yield* hits, 1 + refresh)
      }
      assert.strictEqual(yield* verified, 1)
      assert.strictEqual(yield* remembered, 104)
      // Nor while the provider is down.
      yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ status: 503 }), Infinity)
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(yield* verify(token), "accepted")
      assert.strictEqual(yield* verified, 1)
    })))

  it.effect("CACHE-03 are bound to the configuration that verified them", () =>
    withChaos(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp()
      const narrower = yield* gatewayOf(jwtProvider(issuer, { audience: ["https://other.example/mcp"] }))
      const token = yield* issuer.sign()
      for (let times = 0; times < 2; times++) {
        assert.strictEqual(yield* verify(token), "accepted")
        assert.strictEqual(yield* narrower(token), "InvalidAudience")
      }
    })))

  it.effect("CACHE-01 expire with exp and the tolerance", () =>
    withChaos(Effect.gen(function*() {
      const { issuer, remembered, verify } = yield* setUp()
      const token = yield* issuer.sign({ expiresIn: "100 seconds" })
      assert.strictEqual(yield* verify(token), "accepted")
      yield* TestClock.adjust(99_999)
      assert.strictEqual(yield* verify(token), "accepted")
      assert.strictEqual(yield* remembered, 1)
      yield* TestClock.adjust(skew * 1000)
      assert.strictEqual(yield* verify(token), "accepted")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* verify(token), "Expired")
    })))

  it.effect("CACHE-01 expire with any number in exp", () =>
    withChaos(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp()
      for (const exp of [start + 0.000_000_1, start + 1e-3 + 100, 253_402_300_799, start - skew + 0.001]) {
        const token = yield* issuer.sign({ claims: { exp } })
        assert.strictEqual(yield* verify(token), "accepted", String(exp))
        assert.strictEqual(yield* verify(token), "accepted", String(exp))
      }
      for (const exp of [253_402_300_800, 1e300, -1, start - skew]) {
        const token = yield* issuer.sign({ claims: { exp } })
        assert.notStrictEqual(yield* verify(token), "accepted", String(exp))
      }
    })))

  it.effect("CACHE-02 JWKS-22 are rejected when their key is removed, and accepted when it returns", () =>
    withChaos(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp()
      const token = yield* issuer.sign()
      const { kid, publicJwk } = yield* issuer.key()
      assert.strictEqual(yield* verify(token), "accepted")
      yield* issuer.removeKey(kid)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* verify(token), "UnknownKey")
      yield* issuer.publishKey(publicJwk)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* verify(token), "accepted")
    })))

  for (const kid of ["same", undefined]) {
    it.effect(`CACHE-02 are rejected when another key replaces theirs (kid: ${kid ?? "none"})`, () =>
      withChaos(Effect.gen(function*() {
        const { issuer, verify } = yield* setUp()
        const [before, after] = [
          yield* makeSigningKey({ algorithm: "ES256", kid: "same" }),
          yield* makeSigningKey({ algorithm: "ES256", kid: "same" })
        ]
        const publish = (keys: ReadonlyArray<object>) =>
          Effect.andThen(
            issuer.behave(),
            issuer.misbehave(jwksPath, Misbehaviour.Respond({ body: JSON.stringify({ keys }) }), Infinity)
          )
        yield* settled
        yield* publish([before.publicJwk])
        yield* TestClock.adjust("5 minutes")
        const [old, fresh] = [
          yield* issuer.sign({ key: before, header: { kid } }),
          yield* issuer.sign({ key: after, header: { kid } })
        ]
        assert.strictEqual(yield* verify(old), "accepted")
        assert.strictEqual(yield* verify(fresh), "InvalidSignature")
        yield* publish([after.publicJwk])
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual(yield* verify(old), "InvalidSignature")
        assert.strictEqual(yield* verify(fresh), "accepted")
        assert.strictEqual(yield* verify(old), "InvalidSignature")
      })))
  }

  it.effect("CACHE-02 are rejected when their key may no longer verify, or its id becomes ambiguous", () =>
    withChaos(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp()
      const token = yield* issuer.sign()
      const { kid, publicJwk } = yield* issuer.key()
      const { publicJwk: twin } = yield* makeSigningKey({ algorithm: "ES256", kid })
      const sets = [
        [{ ...publicJwk, use: "enc" }],
        [{ ...publicJwk, key_ops: ["encrypt"] }],
        [{ ...publicJwk, alg: "ES384" }],
        [publicJwk, twin],
        []
      ]
      for (const keys of sets) {
        yield* issuer.behave()
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual(yield* verify(token), "accepted")
        yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ body: JSON.stringify({ keys }) }), Infinity)
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual(yield* verify(token), "UnknownKey", JSON.stringify(keys.map(Object.keys)))
      }
    })))

  it.effect("CACHE-07 are rejected as not yet valid when the clock steps back before nbf or iat", () =>
    withChaos(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp()
      const tokens = [
        yield* issuer.sign({ claims: { nbf: start } }),
        yield* issuer.sign({ claims: { iat: start, nbf: undefined } })
      ]
      for (const token of tokens) assert.strictEqual(yield* verify(token), "accepted")
      yield* TestClock.setTime((start - skew) * 1000)
      for (const token of tokens) assert.strictEqual(yield* verify(token), "accepted")
      yield* TestClock.setTime((start - skew) * 1000 - 1)
      for (const token of tokens) assert.strictEqual(yield* verify(token), "NotYetValid")
      yield* TestClock.setTime(start * 1000)
      for (const token of tokens) assert.strictEqual(yield* verify(token), "accepted")
    })))

  it.effect("JWKS-21 fail with an outage when the provider has been unreachable for too long", () =>
    withChaos(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp()
      const token = yield* issuer.sign()
      assert.strictEqual(yield* verify(token), "accepted")
      yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ status: 503 }), Infinity)
      yield* TestClock.adjust("65 minutes")
      assert.strictEqual(yield* verify(token), "ProviderUnavailable")
      yield* issuer.behave()
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* verify(token), "accepted")
    })))

  it.effect("CACHE-03 belong to one configuration", () =>
    withChaos(Effect.gen(function*() {
      const { issuer, verify } = yield* setUp()
      const token = yield* issuer.sign()
      assert.strictEqual(yield* verify(token), "accepted")
      const narrowed = yield* gatewayOf(jwtProvider(issuer, { audience: ["https://other.example/mcp"] }))
      assert.strictEqual(yield* narrowed(token), "InvalidAudience")
      assert.strictEqual(yield* verify(token), "accepted")
    })))

  it.effect("CACHE-01 expire with a static token, without tolerance", () =>
    withChaos(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const verify = yield* gatewayOf(staticProvider([staticToken("static-token", { expiresAt: start + 60 })]))
      assert.strictEqual(yield* verify("static-token"), "accepted")
      yield* TestClock.adjust(59_999)
      assert.strictEqual(yield* verify("static-token"), "accepted")
      assert.strictEqual(yield* lookUps("hit"), 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* verify("static-token"), "Expired")
    })))

  it.effect("CACHE-05 are cached up to 4 KiB; longer JWTs are verified each time", () =>
    withChaos(Effect.gen(function*() {
      const { issuer, remembered, verified, verify } = yield* setUp()
      const of = (length: number) => issuer.sign({ claims: { padding: "a".repeat(length) } })
      const room = 4096 - (yield* of(0)).length
      // Three bytes are four characters: some length in this range is exactly the limit, the next one beyond it.
      const tokens = yield* Effect.forEach(
        [-6, -5, -4, -3, -2, -1, 0, 1, 2, 3],
        (more) => of(Math.floor(room * 0.75) + more)
      )
      for (const token of [...tokens, ...tokens]) assert.strictEqual(yield* verify(token), "accepted")
      const fitting = tokens.filter(({ length }) => length <= 4096).length
      assert.isTrue(fitting > 0 && fitting < tokens.length)
      assert.strictEqual(yield* remembered, fitting)
      assert.strictEqual(yield* verified, 2 * tokens.length - fitting)
    })))
})

const identityOf = (subject: string): Identity => ({
  subject,
  clientId: undefined,
  issuer: "https://as.example",
  scopes: [],
  email: undefined,
  name: undefined,
  provider: "counting",
  expiresAt: start + 3600,
  claims: {}
})

const good = (token: string): Effect.Effect<Verdict, InvalidToken> =>
  Effect.succeed({ identity: identityOf(token), validity: { until: (start + 3600) * 1000 } })

const rejected = Effect.fail(new InvalidToken({ provider: "counting", reason: "InvalidSignature", detail: "test" }))

/** The memory in front of a provider that counts how often it is asked; who a token says it is, is the token itself. */
const counting = Effect.fnUntraced(function*(
  verifyText: (token: string) => Effect.Effect<Verdict, InvalidToken> = good,
  rejectionMillis?: number
) {
  yield* TestClock.setTime(start * 1000)
  const asked: Array<string> = []
  const verified = yield* Effect.provideService(makeVerifiedTokens(), ProviderRegistry, {
    select: (token) =>
      Effect.sync(() => ({
        name: "counting",
        rejectionMillis,
        verify: Effect.suspend(() => {
          const text = Redacted.value(token)
          asked.push(text)
          return verifyText(text)
        })
      })),
    readiness: Effect.succeed([])
  })
  const verify = (token: string) =>
    Effect.match(verified.verify(BearerToken.make(token)), {
      onFailure: ({ _tag }) => _tag as string,
      onSuccess: ({ subject }) => subject
    })
  return { asked, verified, verify, known: (token: string) => verified.peek?.(token)?.subject }
})

const header = { alg: "ES256", kid: undefined } as const

const anyKey = Effect.promise(() =>
  crypto.subtle.importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, ["verify"])
)

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const provided = Effect.provide(Digest.layerWebCrypto)

describe("The cache of verified tokens", () => {
  it.effect("CACHE-05 holds the 8,192 most recently used of 12,000 tokens", () =>
    provided(Effect.gen(function*() {
      const { asked, verify } = yield* counting()
      const tokens = Array.from({ length: 12_000 }, (_, index) => `token-${index}`)
      yield* verify("in use all the time")
      for (const [index, token] of tokens.entries()) {
        yield* verify(token)
        if (index % 1000 === 0) yield* verify("in use all the time")
      }
      assert.strictEqual(asked.length, 12_001)
      // The newest first: what is found pushes nothing out.
      for (const token of tokens.slice(-8_191).toReversed()) yield* verify(token)
      yield* verify("in use all the time")
      assert.strictEqual(asked.length, 12_001)
      for (const token of tokens.slice(0, -8_191).toReversed()) yield* verify(token)
      assert.strictEqual(asked.length, 12_001 + 12_000 - 8_191)
    })))

  it.effect("gives each token an identity of its own, which leads to its digest, where a provider has one for several", () =>
    provided(Effect.gen(function*() {
      const ann = identityOf("ann")
      const { verified } = yield* counting(() =>
        Effect.succeed({ identity: ann, validity: { until: (start + 3600) * 1000 } })
      )
      for (let times = 0; times < 2; times++) {
        for (const token of ["one", "another"]) {
          const identity = yield* verified.verify(BearerToken.make(token))
          assert.deepStrictEqual(identity, ann)
          assert.strictEqual(notedDigest(identity), sha256(token))
        }
      }
      // It belongs to no token.
      assert.isUndefined(notedDigest(ann))
    })))

  it.effect("CACHE-06 caches no rejection of a JWT", () =>
    provided(Effect.gen(function*() {
      let isGood = false
      const { asked, verify } = yield* counting((token) => isGood ? good(token) : rejected)
      for (let times = 0; times < 3; times++) assert.strictEqual(yield* verify("token"), "InvalidToken")
      assert.strictEqual(asked.length, 3)
      isGood = true
      assert.strictEqual(yield* verify("token"), "token")
      assert.strictEqual(yield* verify("token"), "token")
      assert.strictEqual(asked.length, 4)
    })))

  it.effect("CACHE-06 caches a rejection as long as its provider allows", () =>
    provided(Effect.gen(function*() {
      let isGood = false
      const { asked, verify } = yield* counting((token) => isGood ? good(token) : rejected, 1000)
      for (let times = 0; times < 3; times++) assert.strictEqual(yield* verify("token"), "InvalidToken")
      isGood = true
      yield* TestClock.adjust(999)
      assert.strictEqual(yield* verify("token"), "InvalidToken")
      assert.strictEqual(asked.length, 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* verify("token"), "token")
      assert.strictEqual(asked.length, 2)
    })))

  it.effect("verifies each time where the verdict says so", () =>
    provided(
      Effect.gen(function*() {
        const { asked, known, verify } = yield* counting((token) =>
          Effect.succeed({ identity: identityOf(token), validity: undefined })
        )
        for (let times = 0; times < 3; times++) assert.strictEqual(yield* verify("token"), "token")
        assert.isUndefined(known("token"))
        assert.strictEqual(asked.length, 3)
      }).pipe(Effect.provideService(Sha256, sha256))
    ))

  it.effect("CACHE-06 DOS-03 is hardly affected by a flood of rejected tokens", () =>
    provided(Effect.gen(function*() {
      const { asked, verify } = yield* counting((token) =>
        Effect.andThen(Effect.yieldNow, token.startsWith("good") ? good(token) : rejected)
      )
      const tokens = Array.from({ length: 8_192 }, (_, index) => `good-${index}`)
      for (const token of tokens) yield* verify(token)
      const width = 50
      for (let burst = 0; burst < 100; burst++) {
        yield* together(Array.from({ length: width }, (_, index) => verify(`bad-${burst}-${index}`)))
      }
      const before = asked.length
      for (const token of tokens.toReversed()) yield* verify(token)
      // As many as were being verified at the same time.
      assert.isAtMost(asked.length - before, width)
    })))

  it.effect("verifies once for a thousand requests with one new token, even when the first is cancelled", () =>
    Effect.gen(function*() {
      const digest = yield* Digest.Digest
      const digested: Array<string> = []
      const { asked, verify } = yield* counting((token) => Effect.andThen(Effect.sleep("1 second"), good(token))).pipe(
        Effect.provideService(Digest.Digest, {
          ...digest,
          digestHex: (algorithm, bytes) =>
            Effect.tap(digest.digestHex(algorithm, bytes), (hex) => Effect.sync(() => digested.push(hex)))
        })
      )
      const first = yield* Effect.forkChild(verify("token"))
      const others = yield* Effect.forkChild(together(Array.from({ length: 999 }, () => verify("token"))))
      // A request that has the digest waits for the one verification a turn later.
      while (digested.length < 1000) yield* turn
      for (let turns = 0; turns < 20; turns++) yield* turn
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("1 second")
      const outcomes = yield* Fiber.join(others)
      assert.deepStrictEqual([...new Set(outcomes)], ["token"])
      assert.strictEqual(asked.length, 1)
    }).pipe(provided))

  it.effect("uses a verdict as long as it is valid", () =>
    provided(Effect.gen(function*() {
      let isPublished = true
      const key = yield* anyKey
      const keys = {
        find: () => isPublished ? Effect.succeed(key) : Effect.fail(new UnknownKey({ detail: "withdrawn" })),
        peek: () => undefined
      }
      const { asked, verify } = yield* counting((token) =>
        Effect.succeed({
          identity: identityOf(token),
          validity: { until: (start + 60) * 1000, key: { keys, header, key } }
        })
      )
      for (let times = 0; times < 3; times++) yield* verify("token")
      assert.strictEqual(asked.length, 1)
      isPublished = false
      for (let times = 0; times < 3; times++) yield* verify("token")
      assert.strictEqual(asked.length, 4)
      isPublished = true
      yield* TestClock.adjust("59 seconds")
      yield* verify("token")
      assert.strictEqual(asked.length, 4)
      yield* TestClock.adjust("1 second")
      yield* verify("token")
      assert.strictEqual(asked.length, 5)
    })))

  it.effect("returns cached identities synchronously, and nothing else", () =>
    provided(
      Effect.gen(function*() {
        let isKnown = true
        const key = yield* anyKey
        const keys = { find: () => Effect.succeed(key), peek: () => isKnown ? key : undefined }
        const { asked, known, verify } = yield* counting((token) =>
          token === "bad" ? rejected : Effect.succeed({
            identity: identityOf(token),
            validity: { until: (start + 60) * 1000, key: { keys, header, key } }
          })
        )
        assert.isUndefined(known("token"))
        assert.strictEqual(yield* verify("token"), "token")
        assert.strictEqual(known("token"), "token")
        assert.isUndefined(known("token "))
        assert.strictEqual(yield* verify("bad"), "InvalidToken")
        assert.isUndefined(known("bad"))
        isKnown = false
        assert.isUndefined(known("token"))
        isKnown = true
        yield* TestClock.adjust(59_999)
        assert.strictEqual(known("token"), "token")
        yield* TestClock.adjust(1)
        assert.isUndefined(known("token"))
        assert.deepStrictEqual(asked, ["token", "bad"])
      }).pipe(Effect.provideService(Sha256, sha256))
    ))

  it.effect("OPQ-11 renews a verdict before it expires, once and with the priority of known tokens, while the old one serves", () =>
    provided(
      Effect.gen(function*() {
        const lanes: Array<string> = []
        let until = start + 60
        let outcome: "good" | "down" | "revoked" = "good"
        const { asked, known, verify } = yield* counting((token) =>
          Effect.flatMap(Requester, ({ isKnown }) => {
            lanes.push(isKnown ? "known" : "new")
            if (outcome === "revoked") return rejected
            if (outcome === "down") return Effect.never
            return Effect.succeed({
              identity: identityOf(token),
              validity: { until: until * 1000, renewFrom: (until - 20) * 1000 }
            })
          })
        )
        yield* verify("token")
        yield* TestClock.adjust("39 seconds")
        assert.strictEqual(known("token"), "token")
        // Renewed, for another minute.
        yield* TestClock.adjust("1 second")
        until = start + 100
        assert.isUndefined(known("token"))
        for (let times = 0; times < 3; times++) assert.strictEqual(yield* verify("token"), "token")
        yield* turn
        assert.deepStrictEqual(lanes, ["new", "known"])
        assert.strictEqual(known("token"), "token")
        // Not renewed: the old verdict serves to its end, and no request waits for the new one.
        yield* TestClock.adjust("40 seconds")
        outcome = "down"
        for (let times = 0; times < 3; times++) assert.strictEqual(yield* verify("token"), "token")
        assert.strictEqual(known("token"), "token")
        yield* turn
        assert.deepStrictEqual(lanes, ["new", "known", "known"])
        assert.strictEqual(asked.length, 3)
      }).pipe(Effect.provideService(Sha256, sha256))
    ))

  it.effect("OPQ-11 OPQ-10 rejects a revoked token as soon as its renewal fails, and keeps the priority of known tokens after their expiry", () =>
    provided(Effect.gen(function*() {
      const lanes: Array<string> = []
      let isGood = true
      const { verify } = yield* counting((token) =>
        Effect.flatMap(Requester, ({ isKnown }) => {
          lanes.push(isKnown ? "known" : "new")
          const now = start + lanes.length * 100 - 100
          return isGood
            ? Effect.succeed({
              identity: identityOf(token),
              validity: { until: (now + 60) * 1000, renewFrom: (now + 40) * 1000 }
            })
            : rejected
        })
      )
      yield* verify("token")
      yield* TestClock.adjust("100 seconds")
      assert.strictEqual(yield* verify("token"), "token")
      assert.deepStrictEqual(lanes, ["new", "known"])
      yield* TestClock.adjust("50 seconds")
      isGood = false
      assert.strictEqual(yield* verify("token"), "token")
      yield* turn
      assert.strictEqual(yield* verify("token"), "InvalidToken")
    })))

  it.effect("returns nothing synchronously where the host has no synchronous digest", () =>
    provided(Effect.gen(function*() {
      const { known, verify } = yield* counting()
      assert.strictEqual(yield* verify("token"), "token")
      assert.isUndefined(known("token"))
    })))

  const near = Schema.Array(
    Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(12))
  ).check(Schema.isMinLength(2), Schema.isMaxLength(8))

  it.effect.prop(
    "CACHE-04 never gives one token the identity of another, however alike they are",
    { parts: near },
    ({ parts }) =>
      provided(Effect.gen(function*() {
        const { verify } = yield* counting()
        const prefix = "e".repeat(200)
        // No half of a surrogate pair: it has no bytes of its own, and tokens are ASCII (RFC 6750, section 2.1).
        const tokens = parts.map((part) => part.toWellFormed()).flatMap((part, index) => [
          part,
          `${prefix}${part}`,
          `${part}${prefix}`,
          parts.slice(0, index + 1).join(".").toWellFormed(),
          part.toUpperCase(),
          `${part} `
        ])
        for (const token of [...tokens, ...tokens]) assert.strictEqual(yield* verify(token), token)
      })),
    { arbitrary: { runs: 100 } }
  )
})
