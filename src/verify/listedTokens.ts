import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import type { Identity } from "../identity/Identity.ts"
import { makeTokenDigest } from "./tokenDigest.ts"

/** A token that is known in advance, without its text. */
export interface ListedToken {
  readonly digest: string
  readonly identity: Identity
}

/** Finds the identity that goes with a token, `undefined` for an unknown one; whether it has expired is not judged. */
export type FindListedToken = (token: string) => Effect.Effect<Identity | undefined>

/** The OR of all differing bits: 0 for equal digests. Takes the same time wherever they differ. */
const difference = (left: string, right: string): number => {
  let bits = left.length ^ right.length
  for (let index = 0; index < left.length; index++) bits |= left.charCodeAt(index) ^ right.charCodeAt(index)
  return bits
}

/**
 * Prepares the search for a token among those of all providers that list theirs.
 *
 * A token is compared with every entry in full, by digest, so that the time taken says nothing about how much of which
 * token was guessed.
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
