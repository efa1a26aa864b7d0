/** A key-value store that several instances share, and that may fail or lie. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type { StoreBehaviour } from "./Command.ts"

/** Entries as `JwksCache` documents them: `{"uri", "jwks": {"keys"}, "expires_at"}`. */
interface Lies {
  /** A key that the provider never published. */
  readonly foreignJwk: unknown
  readonly uri: string
}

const entry = (uri: string, keys: ReadonlyArray<unknown>, expiresAtMillis: number): string =>
  JSON.stringify({ uri, jwks: { keys }, expires_at: Math.floor(expiresAtMillis / 1000) })

type Lie = Extract<StoreBehaviour, { readonly _tag: "Lying" }>["lie"]

const lieOf = (lie: Lie, truth: string | undefined, now: number, { foreignJwk, uri }: Lies): string => {
  const soon = now + 120_000
  switch (lie) {
    case "Nonsense":
      return "]["
    case "Truncated":
      return (truth ?? "{}").slice(0, -1)
    case "OtherUri":
      return entry("https://attacker.example/keys", [foreignJwk], soon)
    case "Ended":
      return entry(uri, [foreignJwk], now - 1000)
    case "FarFuture":
      return entry(uri, [foreignJwk], now + 100 * 86_400_000)
    case "UnusableKeys":
      return entry(uri, [null, { kty: "oct", kid: "key-0", k: "c2VjcmV0", alg: "HS256" }], soon)
    case "NoKeys":
      return JSON.stringify({ uri, jwks: { keys: null }, expires_at: Math.floor(soon / 1000) })
  }
}

export const makeUnreliableStore = (lies: Lies) => {
  const entries = new Map<string, string>()
  const first = new Map<string, string>()
  let behaviour: StoreBehaviour = { _tag: "Honest" }

  const withBehaviour = <A>(
    method: string,
    honest: Effect.Effect<A>
  ): Effect.Effect<A, KeyValueStore.KeyValueStoreError> => {
    switch (behaviour._tag) {
      case "Failing":
        return Effect.fail(new KeyValueStore.KeyValueStoreError({ method, message: "the store is broken" }))
      case "Throwing":
        throw new TypeError("the store is broken")
      case "Silent":
        return Effect.never
      default:
        return honest
    }
  }

  const get = Effect.fnUntraced(function*(key: string) {
    switch (behaviour._tag) {
      case "Forgetful":
        return undefined
      case "Replaying":
        return first.get(key)
      case "Lying":
        return lieOf(behaviour.lie, entries.get(key), yield* Clock.currentTimeMillis, lies)
      default:
        return entries.get(key)
    }
  })

  return {
    setBehaviour: (next: StoreBehaviour) => {
      behaviour = next
    },
    store: KeyValueStore.makeStringOnly({
      get: (key) => withBehaviour("get", get(key)),
      set: (key, value) =>
        withBehaviour(
          "set",
          Effect.sync(() => {
            entries.set(key, value)
            if (!first.has(key)) first.set(key, value)
          })
        ),
      remove: (key) => withBehaviour("remove", Effect.sync(() => void entries.delete(key))),
      clear: Effect.sync(() => entries.clear()),
      size: Effect.sync(() => entries.size),
      keys: Effect.sync(() => [...entries.keys()])
    })
  }
}
