import { InvalidToken, type InvalidTokenReason } from "../errors/GatewayError.ts"
import { withoutStack } from "../errors/withoutStack.ts"

/** Why the pure rules refuse a token. `detail` is for the log and holds nothing of the token's own text. */
export interface Refusal {
  readonly reason: InvalidTokenReason
  readonly detail: string
}

export const refusal = (reason: InvalidTokenReason, detail: string): Refusal => ({ reason, detail })

/** The error that a refusal becomes once it is known which provider was responsible. */
export const toInvalidToken = (provider: string | undefined, { detail, reason }: Refusal): InvalidToken =>
  withoutStack(() => new InvalidToken({ provider, reason, detail }))
