import { ProviderUnavailable } from "../errors/GatewayError.ts"
import { withoutStack } from "../errors/withoutStack.ts"
import { retryAfterSeconds } from "../remote/providerLimits.ts"
import type { ProviderRequestFailed } from "../remote/ProviderRequestFailed.ts"

/** Nobody can say now whether a token is good. `detail` is for the log, `cause` for programs that embed the gateway. */
export const unavailable = (provider: string, detail: string, cause?: unknown): ProviderUnavailable =>
  new ProviderUnavailable({ provider, detail, retryAfter: retryAfterSeconds, cause })

/**
 * The same, because the provider could not be asked. Clients are told to wait as long as the provider wants.
 *
 * @param advice what to look at, where the caller knows better than the failure itself
 */
export const unavailableAfter = (
  provider: string,
  failure: ProviderRequestFailed,
  advice?: string
): ProviderUnavailable =>
  withoutStack(() =>
    new ProviderUnavailable({
      provider,
      detail: advice === undefined ? failure.detail : `${failure.summary}: ${advice}`,
      retryAfter: failure.retryAfter ?? retryAfterSeconds,
      cause: failure
    })
  )
