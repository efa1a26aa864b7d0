import * as Data from "effect/Data"
import { type ProviderReach, type PublishedIssuer } from "../remote/ProviderReach.ts"

/** Where the keys of an issuer are published. */
export type JwksSource =
  & ProviderReach
  /** The provider that the keys belong to, for the metrics. */
  & { readonly provider?: string }
  & (
    | { readonly _tag: "Jwks"; readonly uri: string }
    /** The keys are at the `jwks_uri` of the issuer's metadata. */
    | ({ readonly _tag: "Discovery" } & PublishedIssuer)
  )

/** The issuer has no key for the token, or several. The keys were fetched recently. */
export class UnknownKey extends Data.TaggedError("UnknownKey")<{
  readonly detail: string
}> {}

/** The keys are unavailable, so it is unknown whether there is one for the token. `detail` is for the log. */
export class KeysUnavailable extends Data.TaggedError("KeysUnavailable")<{
  readonly detail: string
}> {}

/** The shared key set of a source: the name of its entry, and its digest. */
export interface SharedKeys {
  readonly entry: string
  /** The digest of the whole set. If it is unchanged, each key is still published. */
  readonly digest: string
}

export const placeOf = (source: JwksSource): string => {
  if (source._tag === "Jwks") return source.uri
  return source.discoveryUrl === undefined ? source.issuer : `${source.issuer} at ${source.discoveryUrl}`
}
