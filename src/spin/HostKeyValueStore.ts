import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { StoreClaims } from "../remote/SharedEntries.ts"
import type { Bucket, Host } from "./Host.ts"

/** The store that the manifests of earlier gateways name, and that every Spin host has. */
export const storeName = "default"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const failure = (method: string, key?: string) =>
  new KeyValueStore.KeyValueStoreError({
    method,
    message: `the host's key-value store failed: ${method}`,
    ...(key === undefined ? {} : { key })
  })

/** Fails for operations that the gateway does not need, and that would make the host list every key. */
const unsupported = (method: string) => Effect.fail(failure(method))

const claimName = (name: string) => `claim:${name}`

const make = Effect.fnUntraced(function*(
  { openStore }: Host
): Effect.fn.Return<Context.Context<KeyValueStore.KeyValueStore>> {
  // Once for each instance, on first use: most requests do not need the store.
  const bucket = yield* Effect.cached(
    Effect.try({ try: () => openStore(), catch: () => failure("open") }).pipe(
      Effect.tapError(() =>
        Effect.logWarning(
          `The key-value store "${storeName}" cannot be opened, so keys are fetched for each request. ` +
            `Add key_value_stores = ["${storeName}"] to the component in spin.toml.`
        )
      )
    )
  )
  const use = <A>(method: string, key: string, operation: (bucket: Bucket) => A) =>
    Effect.flatMap(bucket, (opened) => Effect.try({ try: () => operation(opened), catch: () => failure(method, key) }))

  const store = KeyValueStore.makeStringOnly({
    get: (key) =>
      use("get", key, (opened) => {
        const value = opened.get(key)
        return value === undefined ? undefined : decoder.decode(value)
      }),
    set: (key, value) => use("set", key, (opened) => opened.set(key, encoder.encode(value))),
    remove: (key) => use("remove", key, (opened) => opened.delete(key)),
    clear: unsupported("clear"),
    clearPrefix: () => unsupported("clearPrefix"),
    keys: unsupported("keys"),
    size: unsupported("size")
  })

  // The first instance that counts gets the claim. If the store fails, each instance does the work itself.
  const claims = StoreClaims.of({
    claim: (name) =>
      use("increment", name, ({ increment }) => (increment?.(claimName(name)) ?? 1) === 1).pipe(
        Effect.orElseSucceed(() => true)
      ),
    release: (name) => Effect.ignore(use("remove", name, (opened) => opened.delete(claimName(name))))
  })
  return Context.add(Context.make(KeyValueStore.KeyValueStore, store), StoreClaims, claims)
})

/**
 * `KeyValueStore` on the host's store named `default`, with claims.
 *
 * Reads, writes and removes single entries. Operations on all entries fail with `KeyValueStoreError`, and so does every
 * operation if the component was not granted the store.
 */
export const layer = (host: Host): Layer.Layer<KeyValueStore.KeyValueStore> => Layer.effectContext(make(host))
