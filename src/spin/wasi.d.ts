/** The interfaces of `wit/` as the component's JavaScript sees them: `result` is a throw, `option` is `undefined`. */

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

declare module "wasi:io/poll@0.2.3" {
  export class Pollable implements Disposable {
    ready(): boolean
    [Symbol.dispose](): void
  }
  /** Blocks until one of them is ready. */
  export const poll: (pollables: ReadonlyArray<Pollable>) => Uint32Array
}

declare module "wasi:clocks/monotonic-clock@0.2.3" {
  import { type Pollable } from "wasi:io/poll@0.2.3"
  /** In nanoseconds. */
  export const subscribeDuration: (duration: bigint) => Pollable
}

declare module "wasi:http/types@0.2.3" {
  import { type Pollable } from "wasi:io/poll@0.2.3"

  export type Case<Name extends string, Value = undefined> = { readonly tag: Name; readonly val?: Value }

  export class Fields {
    static fromList(entries: ReadonlyArray<readonly [name: string, value: Uint8Array]>): Fields
    append(name: string, value: Uint8Array): void
    entries(): ReadonlyArray<readonly [name: string, value: Uint8Array]>
  }
  export class OutputStream implements Disposable {
    checkWrite(): bigint
    write(contents: Uint8Array): void
    subscribe(): Pollable
    [Symbol.dispose](): void
  }
  export class OutgoingBody implements Disposable {
    write(): OutputStream
    static finish(body: OutgoingBody, trailers: Fields | undefined): void
    [Symbol.dispose](): void
  }
  export class OutgoingRequest {
    constructor(fields: Fields)
    setMethod(method: Case<"get" | "post" | "put" | "delete" | "patch"> | Case<"other", string>): void
    setScheme(scheme: Case<"HTTP" | "HTTPS">): void
    setAuthority(authority: string): void
    setPathWithQuery(target: string): void
    body(): OutgoingBody
  }
  export class InputStream implements Disposable {
    read(length: bigint): Uint8Array
    subscribe(): Pollable
    [Symbol.dispose](): void
  }
  export class IncomingBody implements Disposable {
    stream(): InputStream
    [Symbol.dispose](): void
  }
  export class IncomingResponse implements Disposable {
    status(): number
    headers(): Fields
    consume(): IncomingBody
    [Symbol.dispose](): void
  }
  /** What a request has come to; it can be taken once. */
  export type Outcome =
    | { readonly tag: "ok"; readonly val: Outcome.Response }
    | { readonly tag: "err"; readonly val: undefined }
  export namespace Outcome {
    type Response =
      | { readonly tag: "ok"; readonly val: IncomingResponse }
      | { readonly tag: "err"; readonly val: Case<string, unknown> }
  }
  export class FutureIncomingResponse implements Disposable {
    subscribe(): Pollable
    get(): Outcome | undefined
    [Symbol.dispose](): void
  }
}

declare module "wasi:http/outgoing-handler@0.2.3" {
  import { type FutureIncomingResponse, type OutgoingRequest } from "wasi:http/types@0.2.3"
  export const handle: (request: OutgoingRequest, options: undefined) => FutureIncomingResponse
}

declare module "wasi:keyvalue/atomics@0.2.0-draft" {
  export { increment } from "wasi:keyvalue/atomics@0.2.0-draft2"
}
