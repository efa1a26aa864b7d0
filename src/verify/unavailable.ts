import { ProviderUnavailable } from "../errors/GatewayError.ts"
import { withoutStack } from "../errors/withoutStack.ts"
import { retryAfterSeconds } from "../remote/providerLimits.ts"
import type { ProviderRequestFailed } from "../remote/ProviderRequestFailed.ts"

/** The token cannot be verified now. `detail` is for the log, `cause` for programs that embed the gateway. */
export const unavailable = (provider: string, detail: string, cause?: unknown): ProviderUnavailable =>
  new ProviderUnavailable({ provider, detail, retryAfter: retryAfterSeconds, cause })

/**
 * Like `unavailable`, for a failed request to the provider. Clients get the provider's `Retry-After`.
 *
 * @param advice what to check, if the caller knows better than the failure itself
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
