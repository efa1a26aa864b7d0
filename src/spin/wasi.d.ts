/**
 * The interfaces of `wit/` in the component's JavaScript: an error of a `result` is thrown, and an absent `option` is
 * `undefined`.
 */

declare module "wasi:config/store@0.2.0-draft-2024-09-27" {
  export const getAll: () => ReadonlyArray<readonly [name: string, value: string]>
}

declare module "wasi:keyvalue/store@0.2.0-draft2" {
  export class Bucket {
    get(key: string): Uint8Array | undefined
    set(key: string, value: Uint8Array): void
    delete(key: string): void
  }
  export const open: (identifier: string) => Bucket
}

declare module "wasi:keyvalue/atomics@0.2.0-draft2" {
  import type { Bucket } from "wasi:keyvalue/store@0.2.0-draft2"
  export const increment: (bucket: Bucket, key: string, delta: bigint) => bigint
}

declare module "wasi:config/store@0.2.0-rc.1" {
  export { getAll } from "wasi:config/store@0.2.0-draft-2024-09-27"
}

declare module "wasi:keyvalue/store@0.2.0-draft" {
  export { Bucket, open } from "wasi:keyvalue/store@0.2.0-draft2"
}

declare module "wasi:keyvalue/atomics@0.2.0-draft" {
  export { increment } from "wasi:keyvalue/atomics@0.2.0-draft2"
}
