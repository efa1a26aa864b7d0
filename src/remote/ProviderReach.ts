/** The hosts at which a provider may be requested. */
export interface ProviderReach {
  /** Host patterns. Empty: any host. */
  readonly allowedDomains: ReadonlyArray<string>
  /** Hosts, besides this machine, that may be requested over http. */
  readonly allowHttp?: ReadonlyArray<string> | undefined
}

/** An issuer, and the URL of its metadata. */
export interface PublishedIssuer {
  /** A template if there are `tenants`. */
  readonly issuer: string
  readonly tenants?: ReadonlyArray<string> | undefined
  /** The URL of the metadata. `undefined`: one of the well-known URLs. */
  readonly discoveryUrl?: string | undefined
}

/** Returns a provider's reach as text, for cache keys: what may not be requested must not be found in a cache, either. */
export const reachOf = ({ allowHttp = [], allowedDomains }: ProviderReach): ReadonlyArray<string> => [
  ...allowedDomains,
  ...allowHttp.map((host) => `http://${host}`)
]
