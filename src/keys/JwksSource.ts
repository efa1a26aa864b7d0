import * as Data from "effect/Data"
import { type ProviderReach, type PublishedIssuer } from "../remote/ProviderReach.ts"

/** Where the keys of an issuer are published. */
export type JwksSource =
  & ProviderReach
  & (
    | { readonly _tag: "Jwks"; readonly uri: string }
    /** At the `jwks_uri` of the issuer's metadata. */
    | ({ readonly _tag: "Discovery" } & PublishedIssuer)
  )

/** The issuer has no key that fits the token, or several; the keys were fetched lately. */
export class UnknownKey extends Data.TaggedError("UnknownKey")<{
  readonly detail: string
}> {}

/** Whether a key fits cannot be said, because the keys cannot be had. `detail` is for the log. */
export class KeysUnavailable extends Data.TaggedError("KeysUnavailable")<{
  readonly detail: string
}> {}

/** The key set of a source as instances share it: the entry that it stands in, and what it is. */
export interface SharedKeys {
  readonly entry: string
  /** Of the whole set: as long as it is the same, each of its keys is still published. */
  readonly digest: string
}

/** What names a source in the log. */
export const placeOf = (source: JwksSource): string => {
  if (source._tag === "Jwks") return source.uri
  return source.discoveryUrl === undefined ? source.issuer : `${source.issuer} at ${source.discoveryUrl}`
}
