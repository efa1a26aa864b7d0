/** A store that replicas or instances share. Entries have names, may vanish, and may have been written by others. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"

/** A store of entries. Users must work without it: they treat a failure like a missing entry. */
export interface Entries<E = KeyValueStore.KeyValueStoreError> {
  /** @param maxLength entries with more characters are ignored */
  readonly get: (name: string, maxLength: number) => Effect.Effect<string | undefined, E>
  /** @param millis how long the entry is useful. Some stores keep it longer */
  readonly set: (name: string, value: string, millis: number) => Effect.Effect<void, E>
  readonly remove: (name: string) => Effect.Effect<void, E>
  /**
   * Returns `true` to one of the callers with this name within this time: that one does the work for all of them. The
   * others wait for its result, but not for long. If the store does not support claims, returns `true` to every caller.
   */
  readonly claim: (name: string, millis: number) => Effect.Effect<boolean, E>
  /** Ends the claim with this name, in stores whose claims do not end by themselves. */
  readonly release?: ((name: string) => Effect.Effect<void, E>) | undefined
}

/**
 * The store that replicas share, on hosts that have one. `undefined` if each process has only its own memory.
 *
 * Its entries decide who is admitted, so it must return only what replicas have written: see `makeSealedEntries`.
 */
export const SharedEntries = Context.Reference<Entries<never> | undefined>("mcp-authorizer/remote/SharedEntries", {
  defaultValue: () => undefined
})

/** Decides which of the instances with one `KeyValueStore` does the work for all of them. */
export interface StoreClaims {
  /** Like `claim` of `Entries`, but a claim never expires: it has to be released. */
  readonly claim: (name: string) => Effect.Effect<boolean>
  /** Ends a claim of any instance: after the work, or after waiting in vain for an instance that may have ended. */
  readonly release: (name: string) => Effect.Effect<void>
}

/** The claims of hosts whose store supports them. Without it, each instance does all work itself. */
export const StoreClaims = Context.Reference<StoreClaims>("mcp-authorizer/remote/SharedEntries/StoreClaims", {
  defaultValue: () => ({ claim: () => Effect.succeed(true), release: () => Effect.void })
})

/** The entries of the `KeyValueStore`, which never expire, with the claims of its host. */
export const storeEntries: Effect.Effect<Entries, never, KeyValueStore.KeyValueStore> = Effect.gen(function*() {
  const store = yield* KeyValueStore.KeyValueStore
  const { claim, release } = yield* StoreClaims
  return {
    get: (name, maxLength) =>
      Effect.map(store.get(name), (text) => text === undefined || text.length > maxLength ? undefined : text),
    set: (name, value) => store.set(name, value),
    remove: (name) => store.remove(name),
    claim,
    release
  }
})

/** The pauses between attempts to read the result of the caller with the claim, in milliseconds. */
const quickPauses = [20, 40, 80, 110]
const longPauses = [...quickPauses, 250, 500]

/**
 * Waits for what another replica is about to store, by reading at growing intervals: for a quarter of a second, or for
 * one second.
 *
 * Returns `undefined` if there is still nothing, so that the caller must do the work itself.
 */
export const awaitOthers = <A, E>(
  look: Effect.Effect<A | undefined, E>,
  wait: "quarter" | "second"
): Effect.Effect<A | undefined, E> =>
  Effect.gen(function*(): Effect.fn.Return<A | undefined, E> {
    for (const pause of wait === "second" ? longPauses : quickPauses) {
      yield* Effect.sleep(pause)
      const found = yield* look
      if (found !== undefined) return found
    }
    return undefined
  })
