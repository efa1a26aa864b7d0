import * as Data from "effect/Data"

/** What a provider's URLs may be. */
export interface ProviderReach {
  /** The hosts that may be asked; empty: any. */
  readonly allowedDomains: ReadonlyArray<string>
  /** Hosts, beside this machine, that may be asked over http. */
  readonly allowHttp?: ReadonlyArray<string> | undefined
}

/** An issuer, and where it is described. */
export interface PublishedIssuer {
  /** A template where there are `tenants`. */
  readonly issuer: string
  readonly tenants?: ReadonlyArray<string> | undefined
  /** Where the metadata is; `undefined`: in one of the well-known places. */
  readonly discoveryUrl?: string | undefined
}

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

/** A provider's reach as text, for names under which something is kept: what may not be asked must not be found, either. */
export const reachOf = ({ allowHttp = [], allowedDomains }: ProviderReach): ReadonlyArray<string> => [
  ...allowedDomains,
  ...allowHttp.map((host) => `http://${host}`)
]

/** What names a source in the log. */
export const placeOf = (source: JwksSource): string => {
  if (source._tag === "Jwks") return source.uri
  return source.discoveryUrl === undefined ? source.issuer : `${source.issuer} at ${source.discoveryUrl}`
}
