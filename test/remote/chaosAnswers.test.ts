import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { eventually } from "../fixtures/eventually.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { assertAll, counted, gatewayOf, jwksPath, settled, together, warnings, withChaos } from "../keys/chaos.ts"
import { start } from "../verify/support.ts"

const megabyte = 1_048_576

const setUp = Effect.fnUntraced(function*() {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make({ algorithms: ["ES256"], expiresIn: "1 day" })
  const verify = yield* gatewayOf(jwtProvider(issuer))
  const seen = yield* issuer.sign()
  assert.strictEqual(yield* verify(seen), "accepted")
  const { host } = new URL(issuer.issuer)
  return { issuer, verify, seen, host, hits: issuer.hits(jwksPath) }
})

type Setting = Effect.Success<ReturnType<typeof setUp>>

/** Valid tokens, one of them verified before and one not. */
const goodPass = Effect.fnUntraced(function*({ issuer, seen, verify }: Setting, jti: string) {
  const unseen = yield* issuer.sign({ claims: { jti } })
  assertAll(yield* together([verify(seen), verify(unseen)]), "accepted")
})

const publicJwk = (kid: string) => Effect.map(makeSigningKey({ algorithm: "ES256", kid }), ({ publicJwk }) => publicJwk)

/** Responses that are not key sets, and the log text for each. */
const unreadable: ReadonlyArray<
  readonly [name: string, reason: string, (setting: Setting) => Effect.Effect<Misbehaviour>]
> = [
  ["HTML with 200", "NotJson", () =>
    Effect.succeed(Misbehaviour.Respond({
      headers: { "content-type": "text/html" },
      body: "<!doctype html><title>Sign in</title>"
    }))],
  ["an empty response", "NotJson", () => Effect.succeed(Misbehaviour.Respond({ body: "" }))],
  [
    "an array",
    "NotAnObject",
    ({ issuer }) => Effect.map(issuer.jwks, ({ keys }) => Misbehaviour.Respond({ body: JSON.stringify(keys) }))
  ],
  [
    "a set without an array of keys",
    "no array of keys",
    () => Effect.succeed(Misbehaviour.Respond({ body: "{\"keys\":{\"0\":null}}" }))
  ],
  [
    "two sets in one",
    "DuplicateMember",
    () => Effect.succeed(Misbehaviour.Respond({ body: "{\"keys\":[],\"keys\":[]}" }))
  ],
  ["304", "304", () => Effect.succeed(Misbehaviour.Respond({ status: 304 }))],
  ["204", "Status 204", () => Effect.succeed(Misbehaviour.Respond({ status: 204 }))],
  ["401 with a key set", "Status 401", () => Effect.succeed(Misbehaviour.Respond({ status: 401 }))],
  [
    "bytes that are no UTF-8",
    "NotUtf8",
    () => Effect.succeed(Misbehaviour.Respond({ body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]) }))
  ],
  [
    "a million brackets",
    "TooDeep",
    () => Effect.succeed(Misbehaviour.Respond({ body: `{"keys":${"[".repeat(1_000_000)}` }))
  ],
  ["half a response", "Unreachable", () => Effect.succeed(Misbehaviour.Disconnect({ after: "HalfBody" }))],
  [
    "a redirect to itself",
    "Redirect 302",
    ({ issuer }) => Effect.succeed(Misbehaviour.Redirect({ location: issuer.jwksUri }))
  ],
  [
    "10,000 good keys in more than 1 MiB",
    "TooLarge",
    ({ issuer }) =>
      Effect.map(Effect.all([issuer.jwks, publicJwk("many")]), ([{ keys }, jwk]) => {
        const many = Array.from({ length: 10_000 }, (_, index) => ({ ...jwk, kid: `many-${index}` }))
        return Misbehaviour.Respond({ body: JSON.stringify({ keys: [...keys, ...many] }) })
      })
  ],
  ["a body of 100 MiB", "TooLarge", () => Effect.succeed(Misbehaviour.Flood({ bytes: 100 * megabyte }))],
  ["a body without end", "TooLarge", () => Effect.succeed(Misbehaviour.Flood({ bytes: Infinity }))]
]

describe("Hostile responses", () => {
  for (const [name, reason, misbehaviourOf] of unreadable) {
    it.effect(`JWKS-19 JWKS-20 ${name} does not affect cached keys, and is logged`, () =>
      withChaos(Effect.gen(function*() {
        const setting = yield* setUp()
        const { host, hits, issuer } = setting
        yield* issuer.misbehave(jwksPath, yield* misbehaviourOf(setting), Infinity)
        // Before the expiry, at the expiry, and during the back-off.
        for (const seconds of [290, 10, 10, 10]) {
          yield* TestClock.adjust(`${seconds} seconds`)
          yield* goodPass(setting, `${seconds}`)
          yield* settled
        }
        assert.isAtLeast(yield* hits, 4)
        assert.strictEqual(yield* counted("mcp_authorizer.key.fetches", { outcome: "failure" }), (yield* hits) - 1)
        assert.isNotEmpty(yield* warnings("could not be fetched", reason, host))
        yield* issuer.behave()
        yield* issuer.rotate()
        yield* TestClock.adjust("10 seconds")
        yield* goodPass(setting, "after")
        // Positive control: keys change once the response is a key set.
        yield* settled
        yield* goodPass({ ...setting, seen: yield* issuer.sign() }, "rotated")
      })))
  }

  it.effect("JWKS-06 a body of one byte a second is given up after 5 seconds, and good tokens do not wait", () =>
    withChaos(Effect.gen(function*() {
      const setting = yield* setUp()
      const { host, hits, issuer } = setting
      yield* issuer.misbehave(jwksPath, Misbehaviour.Drip({ interval: "1 second" }), Infinity)
      yield* TestClock.adjust("290 seconds")
      for (let second = 0; second < 60; second++) {
        yield* goodPass(setting, String(second))
        yield* TestClock.adjust("1 second")
      }
      assert.isAtLeast(yield* hits, 4)
      assert.isAtMost(yield* hits, 6)
      assert.isNotEmpty(yield* warnings("could not be fetched", "Timeout", host))
    })))

  it.effect("JWKS-17 a redirect is not followed", () =>
    withChaos(Effect.gen(function*() {
      const setting = yield* setUp()
      const { issuer } = setting
      const victim = yield* TestIssuer.make({ algorithms: ["ES256"] })
      for (const status of [301, 302, 303, 307, 308]) {
        yield* issuer.misbehave(jwksPath, Misbehaviour.Redirect({ location: victim.jwksUri, status }))
      }
      for (const seconds of [290, 10, 10, 10, 10]) {
        yield* TestClock.adjust(`${seconds} seconds`)
        yield* goodPass(setting, `${seconds}`)
        yield* settled
      }
      assert.deepStrictEqual(yield* victim.requests(), [])
      for (const status of [301, 302, 303, 307, 308]) assert.isNotEmpty(yield* warnings(`Redirect ${status}`))
    })))

  it.effect("JWKS-09 unusable keys among good ones are ignored and logged without their material", () =>
    withChaos(Effect.gen(function*() {
      const setting = yield* setUp()
      const { host, issuer } = setting
      const { privateKey } = yield* makeSigningKey({ algorithm: "ES256", kid: "secret" })
      const secret = yield* Effect.promise(() => crypto.subtle.exportKey("jwk", privateKey))
      const unusable: ReadonlyArray<readonly [unknown, string]> = [
        ["key", "NotAnObject"],
        [{ kty: "RSA", kid: "half", e: "AQAB" }, "MalformedMaterial"],
        [{ kty: "oct", kid: "shared", k: "c2VjcmV0" }, "Symmetric"],
        [{ ...secret, kid: "secret" }, "Private"],
        [{ kty: "EC", kid: "curve", crv: "P-192", x: "AA", y: "AA" }, "UnsupportedType"],
        [{ kty: "EC", kid: 7, crv: "P-256" }, "MalformedKeyId"]
      ]
      const { keys } = yield* issuer.jwks
      const body = JSON.stringify({ keys: [...unusable.map(([key]) => key), ...keys] })
      yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ body }), Infinity)
      yield* TestClock.adjust("5 minutes")
      yield* goodPass(setting, "sideBySide")
      const [line, ...others] = yield* warnings("unusable", host)
      assert.deepStrictEqual(others, [])
      for (const [, reason] of unusable) assert.include(line ?? "", reason)
      for (const material of ["c2VjcmV0", secret.d, secret.x]) assert.notInclude(line ?? "", material ?? "none")
    })))

  it.effect("JWKS-15 a key id of two keys belongs to neither, and the other keys keep working", () =>
    withChaos(Effect.gen(function*() {
      const setting = yield* setUp()
      const { host, issuer, verify } = setting
      const twins = [
        yield* makeSigningKey({ algorithm: "ES256", kid: "twin" }),
        yield* makeSigningKey({ algorithm: "ES256", kid: "twin" })
      ]
      for (const twin of twins) yield* issuer.publishKey(twin.publicJwk)
      yield* TestClock.adjust("5 minutes")
      yield* goodPass(setting, "sideBySide")
      for (const key of twins) assert.strictEqual(yield* verify(yield* issuer.sign({ key })), "UnknownKey")
      assert.isNotEmpty(yield* warnings("unusable", "RepeatedKeyId", host))
      // A duplicate of a key counts as the same key.
      const { publicJwk } = yield* issuer.key()
      yield* issuer.publishKey(publicJwk)
      yield* TestClock.adjust("5 minutes")
      yield* goodPass(setting, "twice")
    })))

  it.effect("JWKS-08 of 10,000 keys the first 100 are used", () =>
    withChaos(Effect.gen(function*() {
      const setting = yield* setUp()
      const { host, issuer, verify } = setting
      const { keys } = yield* issuer.jwks
      const late = yield* makeSigningKey({ algorithm: "ES256", kid: "late" })
      const filling = Array.from({ length: 9_998 }, (_, index) => ({ kty: "EC", kid: `${index}` }))
      const body = JSON.stringify({ keys: [...keys, ...filling, late.publicJwk] })
      assert.isBelow(body.length, megabyte)
      yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ body }), Infinity)
      yield* TestClock.adjust("5 minutes")
      yield* goodPass(setting, "sideBySide")
      assert.strictEqual(yield* verify(yield* issuer.sign({ key: late })), "UnknownKey")
      const lines = yield* warnings("unusable", host)
      assert.isNotEmpty(lines)
      // One short line, not a line with 10,000 names.
      for (const line of lines) assert.isBelow(line.length, 1_000)
    })))

  it.effect("JWKS-07 of 100 MiB little more than 1 MiB is read", () =>
    withChaos(Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      let sent = 0
      let connections = 0
      const block = new Uint8Array(65_536).fill(0x20)
      const server = yield* listen((_, response) =>
        Effect.promise(async () => {
          connections += 1
          response.writeHead(200, { "content-type": "application/json" })
          while (sent < 100 * megabyte && !response.destroyed) {
            sent += block.length
            await new Promise<void>((resolve) => response.write(block, () => resolve()))
          }
          response.end()
        })
      )
      const other = yield* TestIssuer.make({ algorithms: ["ES256"] })
      const jwks = { _tag: "Jwks", uri: `${server.origin}/jwks` } as const
      const verify = yield* gatewayOf(jwtProvider(other, { keys: jwks }))
      assert.strictEqual(yield* verify(yield* other.sign()), "ProviderUnavailable")
      yield* eventually(Effect.sync(() => connections === 1))
      yield* settled
      // The buffers of two sockets are additional.
      assert.isBelow(sent, 16 * megabyte)
      assert.isAbove(sent, megabyte)
      assert.isNotEmpty(yield* warnings("could not be fetched", "TooLarge"))
    })))

  it.effect("JWKS-09 JWKS-20 an empty set is a revocation, for cached tokens too", () =>
    withChaos(Effect.gen(function*() {
      const { issuer, seen, verify } = yield* setUp()
      yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ body: "{\"keys\":[]}" }), Infinity)
      assert.strictEqual(yield* verify(seen), "accepted")
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* verify(seen), "UnknownKey")
    })))
})
