import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import type { Identity } from "../identity/Identity.ts"
import { makeTokenDigest } from "./tokenDigest.ts"

/** A static token, by its digest. */
export interface ListedToken {
  readonly digest: string
  readonly identity: Identity
}

/** Finds the identity of a static token; `undefined` for an unknown token. Does not check the expiry. */
export type FindListedToken = (token: string) => Effect.Effect<Identity | undefined>

/** Returns 0 for equal digests. Takes the same time regardless of where they differ. */
const difference = (left: string, right: string): number => {
  let bits = left.length ^ right.length
  for (let index = 0; index < left.length; index++) bits |= left.charCodeAt(index) ^ right.charCodeAt(index)
  return bits
}

/**
 * Builds the lookup of static tokens of all providers.
 *
 * A token is compared with every entry in full, by digest, so that the time taken does not reveal how much of a token
 * was guessed.
 */
export const makeFindListedToken = (
  entries: ReadonlyArray<ListedToken>
): Effect.Effect<FindListedToken, never, Digest.Digest> =>
  Effect.map(makeTokenDigest, (digestOf) => (token) =>
    Effect.map(digestOf(token), (digest) => {
      let found: Identity | undefined
      for (const entry of entries) {
        if (difference(entry.digest, digest) === 0) found = entry.identity
      }
      return found
    }))
