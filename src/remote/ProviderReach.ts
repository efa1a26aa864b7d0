/** The hosts at which a provider may be requested. */
export interface ProviderReach {
  /** Host patterns. Empty: any host. */
  readonly allowedDomains: ReadonlyArray<string>
  /** Hosts that may be requested over http, in addition to this machine. */
  readonly allowHttp?: ReadonlyArray<string> | undefined
}

/** An issuer, and the URL of its metadata. */
export interface PublishedIssuer {
  /** The issuer. A template, if there are `tenants`. */
  readonly issuer: string
  readonly tenants?: ReadonlyArray<string> | undefined
  /** The URL of the metadata; `undefined` for the well-known URLs. */
  readonly discoveryUrl?: string | undefined
}

/** Returns a provider's reach as text, for cache keys: a provider must not get from a cache what it may not request. */
export const reachOf = ({ allowHttp = [], allowedDomains }: ProviderReach): ReadonlyArray<string> => [
  ...allowedDomains,
  ...allowHttp.map((host) => `http://${host}`)
]
