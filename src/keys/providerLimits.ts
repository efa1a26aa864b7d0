import type { FetchLimits } from "./RemoteValue.ts"

/** How often one document of a provider is asked for: at most 6 times a minute while the provider fails. */
export const providerLimits: FetchLimits = { backOffMillis: 10_000, refetchMillis: 30_000 }

/** What a client is told to wait before it asks again, in seconds: by then the provider has been asked again. */
export const retryAfterSeconds = providerLimits.backOffMillis / 1000
