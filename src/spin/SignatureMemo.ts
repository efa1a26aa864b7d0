import type { Bucket, Host } from "./Host.ts"
import { storeName } from "./HostKeyValueStore.ts"

/**
 * Signatures that have been found good, shared by the instances that have the same store.
 *
 * That a key has signed something stays true; all that can change is judged anew with each request: which keys the issuer
 * publishes, times, audience, scopes.
 */
export interface SignatureMemo {
  /** @param digest of key, algorithm, signature and what was signed */
  readonly isKnown: (digest: Uint8Array) => boolean
  readonly remember: (digest: Uint8Array) => void
}

/** Entries, so that the store never holds more of them; a newer one may take the place of an older. */
const slots = 4096

const slotOf = (digest: Uint8Array): string =>
  `signature:${(((digest[0] ?? 0) << 8 | (digest[1] ?? 0)) % slots).toString(16).padStart(3, "0")}`

/** A memo in the host's store; without the store it knows nothing. */
export const makeSignatureMemo = ({ openStore }: Host): SignatureMemo => {
  let bucket: Bucket | undefined
  const ignoring = <A>(operation: (bucket: Bucket) => A): A | undefined => {
    try {
      bucket ??= openStore(storeName)
      return operation(bucket)
    } catch {
      // The gateway's own use of the store has said so in the log.
      return undefined
    }
  }
  return {
    isKnown: (digest) => ignoring((opened) => opened.get(slotOf(digest)))?.join() === digest.join(),
    remember: (digest) => {
      ignoring((opened) => opened.set(slotOf(digest), digest))
    }
  }
}
