/** A store that replicas or instances share: entries by name, which may vanish, and which others may have written. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"

/** A store of entries. Its users work without it: they treat a failure like an absent entry. */
export interface Entries<E = KeyValueStore.KeyValueStoreError> {
  /** @param maxLength entries with more characters are ignored */
  readonly get: (name: string, maxLength: number) => Effect.Effect<string | undefined, E>
  /** @param millis how long the entry is of use. Some stores keep entries for longer */
  readonly set: (name: string, value: string, millis: number) => Effect.Effect<void, E>
  readonly remove: (name: string) => Effect.Effect<void, E>
  /**
   * Returns `true` for one of the callers with this name in this time: it does what all of them need. The others wait for
   * its result, and not for long. `true` for each caller if the store cannot tell.
   */
  readonly claim: (name: string, millis: number) => Effect.Effect<boolean, E>
  /** Ends the claim with this name, in a store whose claims do not end by themselves. */
  readonly release?: ((name: string) => Effect.Effect<void, E>) | undefined
}

/**
 * The store that replicas share, on hosts that have one. `undefined`: each process has its own memory.
 *
 * Its entries decide who is admitted. So it must return nothing that the replicas did not write: see
 * `makeSealedEntries`.
 */
export const SharedEntries = Context.Reference<Entries<never> | undefined>("mcp-authorizer/remote/SharedEntries", {
  defaultValue: () => undefined
})

/** The agreement of instances with one `KeyValueStore` on which of them does what all of them need. */
export interface StoreClaims {
  /** As `claim` of `Entries`, without an end: each claim has to be released. */
  readonly claim: (name: string) => Effect.Effect<boolean>
  /** Ends a claim of any instance: after the work, or after waiting for an instance that may have ended. */
  readonly release: (name: string) => Effect.Effect<void>
}

/** The claims of hosts whose store has an operation for them. Without it, each instance does everything. */
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

/** The pauses before each further look for the result of the caller with the claim, in milliseconds. */
const quickPauses = [20, 40, 80, 110]
const longPauses = [...quickPauses, 250, 500]

/**
 * Looks for what another replica is about to store, at growing intervals: for a quarter of a second, or for one second.
 *
 * `undefined`: there is nothing yet, and the caller does the work itself.
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
