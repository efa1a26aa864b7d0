import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as TestClock from "effect/testing/TestClock"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { start } from "../verify/support.ts"
import { gatewayOf, jwksPath, settled, tally, together, warnings, withChaos, withKeyId } from "./chaos.ts"

const broken = (method: string) =>
  Effect.fail(new KeyValueStore.KeyValueStoreError({ method, message: "broken: secret-of-the-store" }))

/** A store that can be looked into, and some of whose operations are others. */
const makeStore = (changes: Partial<Pick<KeyValueStore.MakeStringOptions, "get" | "set" | "remove">> = {}) => {
  const entries = new Map<string, string>()
  const store = KeyValueStore.makeStringOnly({
    get: (key) => Effect.sync(() => entries.get(key)),
    set: (key, value) =>
      Effect.sync(() => {
        entries.set(key, value)
      }),
    remove: (key) =>
      Effect.sync(() => {
        entries.delete(key)
      }),
    clear: Effect.sync(() => entries.clear()),
    size: Effect.sync(() => entries.size),
    keys: Effect.sync(() => [...entries.keys()]),
    ...changes
  })
  return { entries, layer: Layer.succeed(KeyValueStore.KeyValueStore, store) }
}

const setUp = Effect.fnUntraced(function*() {
  yield* TestClock.setTime(start * 1000)
  const issuer = yield* TestIssuer.make({ algorithms: ["ES256"], expiresIn: "3 days" })
  const token = yield* issuer.sign()
  const name = `jwks:${issuer.jwksUri}`
  const { keys } = yield* issuer.jwks
  const entry = (changes: Readonly<Record<string, unknown>> = {}) =>
    JSON.stringify({ uri: issuer.jwksUri, jwks: { keys }, expires_at: start + 300, ...changes })
  return { issuer, token, name, entry, hits: issuer.hits(jwksPath) }
})

type Issuer = Effect.Success<ReturnType<typeof setUp>>["issuer"]

/** Another instance of the gateway with the same store, as a new process or the next request on Spin would be. */
const instance = <A, E, R>(
  issuer: Issuer,
  store: { readonly layer: Layer.Layer<KeyValueStore.KeyValueStore> },
  use: (verify: Effect.Success<ReturnType<typeof gatewayOf>>) => Effect.Effect<A, E, R>
) => withChaos(Effect.flatMap(gatewayOf(jwtProvider(issuer)), use), store.layer)

describe("Instances that share a key-value store", () => {
  it.effect("JWKS-28 share a key set as long as it is fresh, and no longer", () =>
    Effect.gen(function*() {
      const { hits, issuer, name, token } = yield* setUp()
      const store = makeStore()
      assert.strictEqual(yield* instance(issuer, store, (verify) => verify(token)), "accepted")
      assert.deepStrictEqual(JSON.parse(store.entries.get(name) ?? ""), {
        uri: issuer.jwksUri,
        jwks: yield* issuer.jwks,
        expires_at: start + 300
      })
      for (let count = 0; count < 200; count++) {
        assert.strictEqual(yield* instance(issuer, store, (verify) => verify(token)), "accepted")
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual(yield* hits, 1)
      // An instance that began late does not trust the keys for longer than the first.
      yield* instance(issuer, store, (verify) =>
        Effect.gen(function*() {
          assert.strictEqual(yield* verify(token), "accepted")
          assert.strictEqual(yield* hits, 1)
          const { kid } = yield* issuer.key()
          yield* issuer.removeKey(kid)
          yield* TestClock.adjust("100 seconds")
          assert.strictEqual(yield* verify(token), "UnknownKey")
          assert.strictEqual(yield* hits, 2)
        }))
    }))

  it.effect("JWKS-28 do not refresh a key set that another has just refreshed", () =>
    Effect.gen(function*() {
      const { hits, issuer, token } = yield* setUp()
      const store = makeStore()
      yield* instance(issuer, store, (first) =>
        Effect.gen(function*() {
          yield* first(token)
          yield* TestClock.adjust("295 seconds")
          assert.strictEqual(yield* instance(issuer, store, (second) => second(token)), "accepted")
          assert.strictEqual(yield* hits, 2)
          yield* TestClock.adjust("5 seconds")
          assert.strictEqual(yield* first(token), "accepted")
          assert.strictEqual(yield* hits, 2)
        }))
    }))

  it.effect("JWKS-23 fetch when the stored set lacks a key", () =>
    Effect.gen(function*() {
      const { hits, issuer, token } = yield* setUp()
      const store = makeStore()
      yield* instance(issuer, store, (verify) => verify(token))
      yield* issuer.rotate()
      const rotated = yield* issuer.sign()
      const outcomes = yield* instance(issuer, store, (verify) => together([verify(rotated), verify(token)]))
      assert.deepStrictEqual(outcomes, ["accepted", "accepted"])
      assert.strictEqual(yield* hits, 2)
      // And what it found is there for the others.
      assert.strictEqual(yield* instance(issuer, store, (verify) => verify(rotated)), "accepted")
      assert.strictEqual(yield* hits, 2)
    }))

  it.effect("JWKS-01 JWKS-28 do not fetch for each token with an unknown key id, even without a memory", () =>
    Effect.gen(function*() {
      const { hits, issuer, token } = yield* setUp()
      const store = makeStore()
      assert.strictEqual(yield* instance(issuer, store, (verify) => verify(token)), "accepted")
      const bad: Array<string> = []
      for (let second = 0; second < 60; second++) {
        const outcomes = yield* instance(
          issuer,
          store,
          (verify) => together([verify(withKeyId(token, `unknown-${second}`)), verify(token)])
        )
        bad.push(outcomes[0] ?? "")
        assert.strictEqual(outcomes[1], "accepted")
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(tally(bad), { UnknownKey: 60 })
      assert.strictEqual((yield* hits) - 1, 2)
    }))

  const failures = [
    ["fails", makeStore({ get: () => broken("get"), set: () => broken("set"), remove: () => broken("remove") })],
    ["dies", makeStore({ get: () => Effect.die("store"), set: () => Effect.die("store") })],
    [
      "throws",
      makeStore({
        get: () => {
          throw new Error("store")
        },
        set: () => {
          throw new Error("store")
        }
      })
    ],
    ["fails to write", makeStore({ set: () => broken("set") })]
  ] as const

  for (const [name, store] of failures) {
    it.effect(`JWKS-25 verify although the store ${name}, and log that`, () =>
      withChaos(
        Effect.gen(function*() {
          const { hits, issuer, token } = yield* setUp()
          const verify = yield* gatewayOf(jwtProvider(issuer))
          assert.strictEqual(yield* verify(token), "accepted")
          yield* TestClock.adjust("5 minutes")
          assert.strictEqual(yield* verify(token), "accepted")
          assert.strictEqual(yield* hits, 2)
          yield* issuer.rotate()
          assert.strictEqual(yield* verify(yield* issuer.sign()), "accepted")
          const lines = yield* warnings("key-value store failed")
          assert.isNotEmpty(lines)
          for (const line of lines) assert.notInclude(line, "secret-of-the-store")
        }),
        store.layer
      ))
  }

  it.effect("JWKS-25 wait half a second at most for a store that never responds, and only where keys are needed", () => {
    const store = makeStore({ get: () => Effect.never, set: () => Effect.never })
    return withChaos(
      Effect.gen(function*() {
        const { hits, issuer, token } = yield* setUp()
        const verify = yield* gatewayOf(jwtProvider(issuer))
        const waiting = yield* Effect.forkChild(verify(token))
        yield* settled
        assert.strictEqual(yield* hits, 0)
        yield* TestClock.adjust("500 millis")
        yield* issuer.awaitHits(jwksPath, 1)
        yield* settled
        assert.isUndefined(waiting.pollUnsafe())
        yield* TestClock.adjust("500 millis")
        assert.strictEqual(yield* Fiber.join(waiting), "accepted")
        // While the set is fresh the store is not read.
        for (let second = 0; second < 280; second++) {
          assert.strictEqual(yield* verify(token), "accepted")
          yield* TestClock.adjust("1 second")
        }
        assert.strictEqual(yield* hits, 1)
        assert.strictEqual((yield* warnings("key-value store failed")).length, 2)
        // Nor do they wait when it is fetched ahead of its end.
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(yield* verify(token), "accepted")
      }),
      store.layer
    )
  })

  it.effect("JWKS-25 keep the keys of a slow provider although the store never responds", () => {
    const store = makeStore({ get: () => Effect.never, set: () => Effect.never })
    return withChaos(
      Effect.gen(function*() {
        const { hits, issuer, token } = yield* setUp()
        yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ delay: 4_300 }))
        const verify = yield* gatewayOf(jwtProvider(issuer))
        const waiting = yield* Effect.forkChild(verify(token))
        yield* settled
        yield* TestClock.adjust(500)
        yield* issuer.awaitHits(jwksPath, 1)
        yield* TestClock.adjust(4_300)
        yield* settled
        yield* TestClock.adjust(500)
        assert.strictEqual(yield* Fiber.join(waiting), "accepted")
        assert.strictEqual(yield* hits, 1)
      }),
      store.layer
    )
  })

  it.effect("JWKS-25 ignore everything in the store that is not an entry", () =>
    Effect.gen(function*() {
      const { entry, hits, issuer, name, token } = yield* setUp()
      const attacker = yield* makeSigningKey({ algorithm: "ES256", kid: "ES256-1" })
      const forged = yield* issuer.sign({ key: attacker })
      const theirs = { jwks: { keys: [attacker.publicJwk] } }
      const entries: ReadonlyArray<readonly [what: string, text: string]> = [
        ["no JSON", "<html>"],
        ["nothing", ""],
        ["null", "null"],
        ["a number", "7"],
        ["an array", "[]"],
        ["an empty object", "{}"],
        ["another tenant's entry", entry({ ...theirs, uri: "https://other.example/jwks" })],
        ["an entry without a URI", entry({ ...theirs, uri: undefined })],
        ["a URI that begins like ours", entry({ ...theirs, uri: `${issuer.jwksUri}?` })],
        ["several URIs", entry({ ...theirs, uri: [issuer.jwksUri] })],
        ["an expired entry", entry({ ...theirs, expires_at: start })],
        ["one that expires at once", entry({ ...theirs, expires_at: start + 10 })],
        ["one that expires in the far future", entry({ ...theirs, expires_at: start + 86_401 })],
        ["one that never expires", entry({ ...theirs }).replace(String(start + 300), "1e400")],
        ["one whose expiry is a text", entry({ ...theirs, expires_at: String(start + 300) })],
        ["one without an expiry", entry({ ...theirs, expires_at: undefined })],
        ["one whose expiry is given twice", `{"expires_at":1,${entry(theirs).slice(1)}`],
        ["keys without a set", entry({ jwks: theirs.jwks.keys })],
        ["a set whose keys are an object", entry({ jwks: { keys: { 0: attacker.publicJwk } } })],
        ["a set in a prototype", entry({ jwks: undefined }).replace("{", `{"__proto__":${JSON.stringify(theirs)},`)],
        ["more than a provider may send", entry({ ...theirs, filling: "x".repeat(1_100_000) })],
        ["a million brackets", `{"jwks":${"[".repeat(1_000_000)}`]
      ]
      for (const [what, text] of entries) {
        const store = makeStore()
        store.entries.set(name, text)
        const before = yield* hits
        const outcomes = yield* instance(issuer, store, (verify) => together([verify(token), verify(forged)]))
        assert.deepStrictEqual(outcomes, ["accepted", "InvalidSignature"], what)
        assert.strictEqual((yield* hits) - before, 1, what)
        // It is put right for the others.
        assert.strictEqual(store.entries.get(name), entry(), what)
      }
      // Positive control: an entry that fits is taken.
      const store = makeStore()
      store.entries.set(name, entry())
      const before = yield* hits
      assert.strictEqual(yield* instance(issuer, store, (verify) => verify(token)), "accepted")
      assert.strictEqual(yield* hits, before)
    }))

  it.effect("JWKS-09 JWKS-25 check stored keys like those from a provider", () =>
    Effect.gen(function*() {
      const { entry, hits, issuer, name, token } = yield* setUp()
      const { privateKey } = yield* makeSigningKey({ algorithm: "ES256", kid: "ES256-1" })
      const secret = yield* Effect.promise(() => crypto.subtle.exportKey("jwk", privateKey))
      const sets = [
        [],
        [null, 7, "key", []],
        [{ ...secret, kid: "ES256-1" }],
        [{ kty: "oct", kid: "ES256-1", k: "c2VjcmV0" }],
        [{ kty: "EC", kid: "ES256-1" }]
      ]
      for (const keys of sets) {
        const store = makeStore()
        store.entries.set(name, entry({ jwks: { keys } }))
        const before = yield* hits
        // None of them is usable, so that the provider must be requested.
        assert.strictEqual(yield* instance(issuer, store, (verify) => verify(token)), "accepted")
        assert.strictEqual((yield* hits) - before, 1)
      }
    }))

  it.effect("JWKS-01 fetch for an unknown key after half a minute at most, regardless of an entry", () =>
    Effect.gen(function*() {
      const { entry, hits, issuer, name } = yield* setUp()
      yield* issuer.rotate()
      const rotated = yield* issuer.sign()
      for (const until of [start + 86_400, "soon", start - 1, null]) {
        const store = makeStore()
        yield* TestClock.setTime(start * 1000)
        store.entries.set(name, entry({ extra_until: until }))
        const before = yield* hits
        yield* instance(issuer, store, (verify) =>
          Effect.gen(function*() {
            yield* verify(rotated)
            yield* TestClock.adjust("30 seconds")
            assert.strictEqual(yield* verify(rotated), "accepted", String(until))
          }))
        assert.strictEqual((yield* hits) - before, 1)
      }
    }))

  it.effect("JWKS-18 do not look up keys that may not be fetched", () =>
    Effect.gen(function*() {
      const { entry, issuer, name, token } = yield* setUp()
      const store = makeStore()
      store.entries.set(name, entry())
      const outcome = withChaos(
        Effect.flatMap(
          gatewayOf(jwtProvider(issuer, { allowedDomains: ["*.authkit.app"] })),
          (verify) => verify(token)
        ),
        store.layer
      )
      assert.strictEqual(yield* outcome, "ProviderUnavailable")
    }))

  it.effect("CACHE-07 do not use an entry longer when the clock steps back", () =>
    Effect.gen(function*() {
      const { hits, issuer } = yield* setUp()
      yield* instance(issuer, makeStore(), (verify) =>
        Effect.gen(function*() {
          yield* TestClock.setTime((start - 7200) * 1000)
          const token = yield* issuer.sign()
          yield* TestClock.setTime(start * 1000)
          assert.strictEqual(yield* verify(token), "accepted")
          const before = yield* hits
          const { kid } = yield* issuer.key()
          yield* issuer.removeKey(kid)
          yield* TestClock.setTime((start - 3600) * 1000)
          assert.strictEqual(yield* verify(token), "accepted")
          yield* TestClock.adjust("5 minutes")
          assert.strictEqual(yield* verify(token), "UnknownKey")
          assert.strictEqual(yield* hits, before + 1)
        }))
    }))

  it.effect("DISC-06 store one entry for a provider whose jwks_uri changes each minute", () =>
    Effect.gen(function*() {
      const { issuer, token } = yield* setUp()
      const metadata = "/.well-known/openid-configuration"
      const store = makeStore()
      yield* withChaos(
        Effect.gen(function*() {
          const verify = yield* gatewayOf(jwtProvider(issuer, { keys: { _tag: "Discovery" } }))
          yield* settled
          for (let minute = 0; minute < 50; minute++) {
            yield* issuer.behave()
            const jwks_uri = `${issuer.jwksUri}?minute=${minute}`
            const headers = { "cache-control": "max-age=60" }
            const body = JSON.stringify({ issuer: issuer.issuer, jwks_uri })
            yield* issuer.misbehave(metadata, Misbehaviour.Respond({ headers, body }), Infinity)
            yield* issuer.misbehave(jwksPath, Misbehaviour.Respond({ headers }), Infinity)
            yield* TestClock.adjust("1 minute")
            assert.strictEqual(yield* verify(token), "accepted")
            yield* settled
          }
        }),
        store.layer
      )
      assert.strictEqual(store.entries.size, 1)
      assert.include([...store.entries.keys()][0] ?? "", "minute=")
    }))
})
