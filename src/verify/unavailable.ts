import { ProviderUnavailable } from "../errors/GatewayError.ts"
import { retryAfterSeconds } from "../keys/providerLimits.ts"

/** Nobody can say now whether a token is good. `detail` is for the log. */
export const unavailable = (provider: string, detail: string): ProviderUnavailable =>
  new ProviderUnavailable({ provider, detail, retryAfter: retryAfterSeconds })
