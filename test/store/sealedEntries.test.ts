/** Entries that only replicas with the session key can write, in a store to which anyone writes anything. */
import { assert, describe, it } from "@effect/vitest"
import * as Aead from "effect/crypto/Aead"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { makeSealedEntries } from "../../src/store/sealedEntries.ts"

const crypto = Layer.provideMerge(
  Layer.mergeAll(Aead.layerWebCrypto, Mac.layerWebCrypto),
  SecureRandom.layerWebCrypto
)

const [first, second, third] = ["first", "second", "third"].map((name) => Redacted.make(name.padEnd(32, "-")))

/** A store that others can read and write. */
const makeStore = () => {
  const stored = new Map<string, string>()
  const claimed = new Set<string>()
  return {
    stored,
    raw: {
      read: (key: string, maxLength: number) => Effect.sync(() => stored.get(key)?.slice(0, maxLength)),
      write: (key: string, value: string) => Effect.sync(() => void stored.set(key, value)),
      remove: (key: string) => Effect.sync(() => void stored.delete(key)),
      claim: (key: string) =>
        Effect.sync(() => {
          if (claimed.has(key)) return false
          claimed.add(key)
          return true
        })
    }
  }
}

type Store = ReturnType<typeof makeStore>

const entriesOf = (
  { raw }: Store,
  sessionKeys: ReadonlyArray<Redacted.Redacted<string> | undefined> = [first],
  storeKeyPrefix = "gateway:"
) =>
  makeSealedEntries({ sessionKeys: sessionKeys.filter((key) => key !== undefined), storeKeyPrefix }, raw).pipe(
    Effect.provide(crypto)
  )

const onlyKey = ({ stored }: Store): string => [...stored.keys()][0] ?? assert.fail("nothing was stored")

const max = 1_000

describe("sealed entries", () => {
  it.effect("REPL-02 MUST be readable by replicas with the same key and prefix, and by no others", () =>
    Effect.gen(function*() {
      const store = makeStore()
      yield* (yield* entriesOf(store)).set("verdict:a", "value", 60_000)
      const readBy = (...args: ReadonlyArray<unknown>) =>
        Effect.flatMap(
          entriesOf(store, ...(args as [])),
          (entries) => entries.get("verdict:a", max)
        )
      assert.strictEqual(yield* readBy(), "value")
      assert.isUndefined(yield* readBy([second]))
      assert.isUndefined(yield* readBy([first], "other:"))
      assert.isUndefined(yield* readBy([]))
    }))

  it.effect("REPL-02 MUST be ignored where another deployment's entry was copied to", () =>
    Effect.gen(function*() {
      const store = makeStore()
      const own = yield* entriesOf(store)
      yield* own.set("verdict:a", "own", 60_000)
      const place = onlyKey(store)
      for (
        const [keys, prefix] of [[[second], "gateway:"], [[first], "other:"]] as const
      ) {
        const foreign = makeStore()
        yield* (yield* entriesOf(foreign, keys, prefix)).set("verdict:a", "foreign", 60_000)
        store.stored.set(place, [...foreign.stored.values()][0] ?? "")
        assert.isUndefined(yield* own.get("verdict:a", max))
      }
      // A positive control: the same copy of an entry of its own.
      const same = makeStore()
      yield* (yield* entriesOf(same)).set("verdict:a", "same", 60_000)
      store.stored.set(place, [...same.stored.values()][0] ?? "")
      assert.strictEqual(yield* own.get("verdict:a", max), "same")
    }))

  it.effect("REPL-02 MUST be ignored under any other name, and for any other purpose", () =>
    Effect.gen(function*() {
      const store = makeStore()
      const entries = yield* entriesOf(store)
      yield* entries.set("verdict:a", "a", 60_000)
      const [sealed = ""] = store.stored.values()
      for (const name of ["verdict:b", "jwks:a", "metadata:a"]) {
        yield* entries.set(name, "own", 60_000)
        for (const key of store.stored.keys()) store.stored.set(key, sealed)
        assert.isUndefined(yield* entries.get(name, max), name)
        assert.strictEqual(yield* entries.get("verdict:a", max), "a")
      }
    }))

  it.effect("REPL-02 MUST end at their time, although the store keeps them", () =>
    Effect.gen(function*() {
      const store = makeStore()
      const entries = yield* entriesOf(store)
      yield* entries.set("verdict:a", "value", 60_000)
      yield* TestClock.adjust(59_999)
      assert.strictEqual(yield* entries.get("verdict:a", max), "value")
      yield* TestClock.adjust(1)
      assert.isUndefined(yield* entries.get("verdict:a", max))
    }))

  it.effect("REPL-02 MUST be ignored if the clock of their replica was far ahead, and used if it was a little ahead", () =>
    Effect.gen(function*() {
      const store = makeStore()
      const entries = yield* entriesOf(store)
      const now = 1_700_000_000_000
      yield* TestClock.setTime(now + 5_000)
      yield* entries.set("verdict:a", "little", 60_000)
      yield* TestClock.setTime(now + 5_001)
      yield* entries.set("verdict:b", "far", 60_000)
      yield* TestClock.setTime(now)
      assert.strictEqual(yield* entries.get("verdict:a", max), "little")
      assert.isUndefined(yield* entries.get("verdict:b", max))
    }))

  it.effect("REPL-02 MUST be shared while the session key is rotated, and end with the old key", () =>
    Effect.gen(function*() {
      const store = makeStore()
      const before = yield* entriesOf(store, [first])
      const during = yield* entriesOf(store, [second, first])
      const after = yield* entriesOf(store, [second])
      yield* before.set("verdict:a", "old", 60_000)
      yield* during.set("verdict:b", "new", 60_000)
      assert.strictEqual(yield* during.get("verdict:a", max), "old")
      assert.strictEqual(yield* during.get("verdict:b", max), "new")
      assert.strictEqual(yield* after.get("verdict:b", max), "new")
      assert.isUndefined(yield* after.get("verdict:a", max))
      assert.isUndefined(yield* (yield* entriesOf(store, [third])).get("verdict:b", max))
    }))

  it.effect("REPL-03 MUST ignore each change of a byte, each part, and what is too long", () =>
    Effect.gen(function*() {
      const store = makeStore()
      const entries = yield* entriesOf(store)
      yield* entries.set("verdict:a", "value", 60_000)
      const place = onlyKey(store)
      const good = store.stored.get(place) ?? ""
      for (let at = 0; at < good.length; at++) {
        store.stored.set(place, `${good.slice(0, at)}${good[at] === "A" ? "B" : "A"}${good.slice(at + 1)}`)
        const found = yield* entries.get("verdict:a", max)
        // The last character has bits that mean nothing.
        if (at < good.length - 1) assert.isUndefined(found, `changed at ${at}`)
        else assert.include([undefined, "value"], found)
        store.stored.set(place, good.slice(0, at))
        assert.isUndefined(yield* entries.get("verdict:a", max), `cut at ${at}`)
      }
      yield* entries.set("verdict:a", "x".repeat(max + 1), 60_000)
      assert.isUndefined(yield* entries.get("verdict:a", max))
      yield* entries.set("verdict:a", "x".repeat(max), 60_000)
      assert.strictEqual((yield* entries.get("verdict:a", max))?.length, max)
    }))

  it.effect("REPL-04 MUST show the store neither a name nor a value, and never the same bytes twice", () =>
    Effect.gen(function*() {
      const store = makeStore()
      const entries = yield* entriesOf(store)
      yield* entries.set("verdict:alice@example.com", "alice@example.com", 60_000)
      const before = [...store.stored.values()]
      yield* entries.set("verdict:alice@example.com", "alice@example.com", 60_000)
      const all = [...store.stored, ...before].join()
      assert.notInclude(all, "alice")
      assert.notInclude(all, Buffer.from("alice").toString("base64url"))
      assert.strictEqual(store.stored.size, 1)
      assert.match(onlyKey(store), /^gateway:verdict:[0-9a-f]{64}$/)
      assert.notInclude([...store.stored.values()], before[0])
    }))

  it.effect("REPL-06 MUST grant a claim to one of several replicas", () =>
    Effect.gen(function*() {
      const store = makeStore()
      const claims = yield* Effect.forEach([1, 2, 3], () =>
        Effect.flatMap(entriesOf(store), (entries) => entries.claim("jwks:a", 1_000)))
      assert.deepStrictEqual(claims, [true, false, false])
    }))
})
