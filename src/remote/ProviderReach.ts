/** Which hosts a provider may be asked at. */
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

/** A provider's reach as text, for names under which something is kept: what may not be asked must not be found, either. */
export const reachOf = ({ allowHttp = [], allowedDomains }: ProviderReach): ReadonlyArray<string> => [
  ...allowedDomains,
  ...allowHttp.map((host) => `http://${host}`)
]
