import { InvalidToken, type InvalidTokenReason } from "../errors/GatewayError.ts"
import { withoutStack } from "../errors/withoutStack.ts"

/** Why a pure rule rejects a token. `detail` is for the log, and contains no text of the token. */
export interface Rejection {
  readonly reason: InvalidTokenReason
  readonly detail: string
}

export const rejection = (reason: InvalidTokenReason, detail: string): Rejection => ({ reason, detail })

/** Converts a rejection to an error once the responsible provider is known. */
export const toInvalidToken = (provider: string | undefined, { detail, reason }: Rejection): InvalidToken =>
  withoutStack(() => new InvalidToken({ provider, reason, detail }))
