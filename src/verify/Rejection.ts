import { InvalidToken, type InvalidTokenReason } from "../errors/GatewayError.ts"
import { withoutStack } from "../errors/withoutStack.ts"

/** Why the pure rules refuse a token. `detail` is for the log and holds nothing of the token's own text. */
export interface Rejection {
  readonly reason: InvalidTokenReason
  readonly detail: string
}

export const rejection = (reason: InvalidTokenReason, detail: string): Rejection => ({ reason, detail })

/** The error that a rejection becomes once it is known which provider was responsible. */
export const toInvalidToken = (provider: string | undefined, { detail, reason }: Rejection): InvalidToken =>
  withoutStack(() => new InvalidToken({ provider, reason, detail }))
