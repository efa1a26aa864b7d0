import type { Bucket } from "./Host.ts"

/** Completes a store of the host by the operation that the host has apart from it, whose numbers have 64 bits. */
export const openBucket = <B extends Omit<Bucket, "increment">>(
  bucket: B,
  increment: (bucket: B, key: string, delta: bigint) => bigint
): Bucket => ({
  get: (key) => bucket.get(key),
  set: (key, value) => bucket.set(key, value),
  delete: (key) => bucket.delete(key),
  increment: (key) => Number(increment(bucket, key, 1n))
})
