/** An open key-value store (`wasi:keyvalue/store`). Each operation may throw. */
export interface Bucket {
  readonly get: (key: string) => Uint8Array | undefined
  readonly set: (key: string, value: Uint8Array) => void
  readonly delete: (key: string) => void
  /** Adds one to a number, and returns it; atomic (`wasi:keyvalue/atomics`). Not every host has it. */
  readonly increment?: ((key: string) => number) | undefined
}

/**
 * The host functions that the component uses.
 *
 * A plain object, so that tests on Node can implement the host.
 */
export interface Host {
  /** All variables of the component (`wasi:config/store`). May throw. */
  readonly variables: () => ReadonlyArray<readonly [name: string, value: string]>
  /** Sends a request (`wasi:http/outgoing-handler`). Hosts may ignore `signal`. */
  readonly fetch: typeof globalThis.fetch
  /** Returns the address of a request's peer; `undefined` if the host does not report it. */
  readonly peerAddress: (headers: Headers) => string | undefined
  /** Opens the store that all instances share. Throws if the component may not use it. */
  readonly openStore: () => Bucket
}
