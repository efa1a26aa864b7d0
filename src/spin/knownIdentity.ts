import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { Identity } from "../identity/Identity.ts"
import * as Entry from "../verify/verdictEntry.ts"
import type { Bucket, Host } from "./Host.ts"

const decoder = new TextDecoder()

const textOf = (bucket: Bucket, entry: string): string | undefined => {
  const value = bucket.get(entry)
  return value === undefined ? undefined : decoder.decode(value)
}

/**
 * Builds the lookup of a token that an instance has verified. Returns the identity that `TokenVerifier.layerStored`
 * would return without a request to a provider; `undefined` if only that verifier can decide.
 */
export const makeKnownIdentity = ({ openStore }: Host, settings: GatewaySettings) => {
  const find = (digest: string, now: number): Identity | undefined => {
    try {
      const bucket = openStore()
      const found = Entry.accepted(textOf(bucket, Entry.verdictEntry(digest)), digest, now)
      if (found?.keys === undefined) return found?.identity
      return Entry.stillPublished(textOf(bucket, found.keys.entry), found.keys, now) ? found.identity : undefined
    } catch {
      // The next access to the store logs the failure.
      return undefined
    }
  }
  return async (token: string, now: number): Promise<Identity | undefined> =>
    find(await Entry.digestOf(settings, token), now)
}
