import * as Data from "effect/Data"

/** Where the keys of an issuer are published, and the hosts that may be asked for them (empty: any). */
export type JwksSource =
  | { readonly _tag: "Jwks"; readonly uri: string; readonly allowedDomains: ReadonlyArray<string> }
  /** At the `jwks_uri` of the issuer's metadata. */
  | { readonly _tag: "Discovery"; readonly issuer: string; readonly allowedDomains: ReadonlyArray<string> }

/** The issuer has no key that fits the token, or several; the keys were fetched lately. */
export class UnknownKey extends Data.TaggedError("UnknownKey")<{
  readonly detail: string
}> {}

/** Whether a key fits cannot be said, because the keys cannot be had. `detail` is for the log. */
export class KeysUnavailable extends Data.TaggedError("KeysUnavailable")<{
  readonly detail: string
}> {}

/** What names a source in the log. */
export const placeOf = (source: JwksSource): string => source._tag === "Jwks" ? source.uri : source.issuer
