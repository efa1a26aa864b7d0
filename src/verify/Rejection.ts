import { InvalidToken, type InvalidTokenReason } from "../errors/GatewayError.ts"
import { withoutStack } from "../errors/withoutStack.ts"

/** Why the pure rules reject a token. `detail` is for the log, and contains nothing of the token's own text. */
export interface Rejection {
  readonly reason: InvalidTokenReason
  readonly detail: string
}

export const rejection = (reason: InvalidTokenReason, detail: string): Rejection => ({ reason, detail })

/** Converts a rejection to an error once the responsible provider is known. */
export const toInvalidToken = (provider: string | undefined, { detail, reason }: Rejection): InvalidToken =>
  withoutStack(() => new InvalidToken({ provider, reason, detail }))
