import * as Data from "effect/Data"
import { type ProviderReach, type PublishedIssuer } from "../remote/ProviderReach.ts"

/** Where the keys of an issuer are published. */
export type JwksSource =
  & ProviderReach
  /** The provider whose keys they are, for the metrics. */
  & { readonly provider?: string }
  & (
    | { readonly _tag: "Jwks"; readonly uri: string }
    /** At the `jwks_uri` of the issuer's metadata. */
    | ({ readonly _tag: "Discovery" } & PublishedIssuer)
  )

/** The issuer has no key that fits the token, or several. The keys were fetched recently. */
export class UnknownKey extends Data.TaggedError("UnknownKey")<{
  readonly detail: string
}> {}

/** The keys are unavailable, so it is unknown whether one fits. `detail` is for the log. */
export class KeysUnavailable extends Data.TaggedError("KeysUnavailable")<{
  readonly detail: string
}> {}

/** The key set of a source as instances share it: the name and the digest of its entry. */
export interface SharedKeys {
  readonly entry: string
  /** Of the whole set: while it is unchanged, each of its keys is still published. */
  readonly digest: string
}

export const placeOf = (source: JwksSource): string => {
  if (source._tag === "Jwks") return source.uri
  return source.discoveryUrl === undefined ? source.issuer : `${source.issuer} at ${source.discoveryUrl}`
}
