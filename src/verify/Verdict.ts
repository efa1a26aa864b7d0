import type { Identity } from "../identity/Identity.ts"
import type { KeyHeader } from "../keys/KeySet.ts"
import type { ProviderKeys } from "./jwt/JwtVerifier.ts"

/** The published key that a token was verified with. */
export interface UsedKey {
  readonly keys: ProviderKeys
  /** What names it among them. */
  readonly header: KeyHeader
  readonly key: CryptoKey
}

/** How long a yes is believed without repeating what cannot have changed. Times are milliseconds since 1970. */
export interface Validity {
  /** Before this, where the clock has stepped back, only a fresh verification can say. */
  readonly from?: number | undefined
  /** From here on only a fresh verification can say. */
  readonly until: number
  /** From here on it is verified anew while it is still believed, so that nobody has to wait for that at its end. */
  readonly renewFrom?: number | undefined
  /** Set where it also ends when the issuer no longer publishes this key. */
  readonly key?: UsedKey | undefined
  /** It is as quick to find anew as to look up in a store, and depends on secrets: instances do not share it. */
  readonly isLocal?: boolean | undefined
}

/** A token's yes, and how long it is valid. */
export interface Verdict {
  readonly identity: Identity
  /** `undefined`: not at all; only a fresh verification can say. */
  readonly validity: Validity | undefined
}
