import type { Identity } from "../identity/Identity.ts"
import type { KeyHeader } from "../keys/KeySet.ts"
import type { ProviderKeys } from "./jwt/JwtVerifier.ts"

/** The published key that verified a token. */
export interface UsedKey {
  readonly keys: Omit<ProviderKeys, "inspect">
  readonly header: KeyHeader
  readonly key: CryptoKey
}

/** How long the verdict about an accepted token may be reused. Times are milliseconds since 1970. */
export interface Validity {
  /** Before this time, which is possible only if the clock is set back, the token must be verified again. */
  readonly from?: number | undefined
  /** From this time on, the token must be verified again. */
  readonly until: number
  /** From this time on, the token is verified again in the background, so that no request has to wait after `until`. */
  readonly renewFrom?: number | undefined
  /** If set, the verdict also ends when the issuer no longer publishes this key. */
  readonly key?: UsedKey | undefined
  /**
   * Whether other instances must not use the verdict: it is as quick to compute as to look up, and depends on secrets.
   */
  readonly isLocal?: boolean | undefined
}

/** An accepted token's identity, and how long the verdict is valid. */
export interface Verdict {
  readonly identity: Identity
  /** `undefined` if the verdict is not cached, so that each request verifies the token. */
  readonly validity: Validity | undefined
}
