/** Who calls, with which token, and what the verifier says of it. */
import * as Arbitrary from "effect/Arbitrary"
import type * as Effect from "effect/Effect"
import type { InvalidTokenReason } from "../../errors/GatewayError.ts"
import type { Identity } from "../../identity/Identity.ts"
import { canaryOf, either, oneOf, textOf } from "../arbitrary.ts"

/** What the verifier says of the caller's token; it refuses all other tokens. */
export type Verdict =
  | { readonly _tag: "Good" }
  /** Good, but without one of the scopes that are required: the first, unless `missing` is another one's index. */
  | {
    readonly _tag: "Unscoped"
    readonly missing?: number
    /** The scopes that stand in its place; none unless given. */
    readonly instead?: (scope: string) => ReadonlyArray<string>
  }
  | { readonly _tag: "Refused"; readonly reason: InvalidTokenReason }
  | { readonly _tag: "Unavailable"; readonly retryAfter: number }
  /** The verifier has a fault. */
  | { readonly _tag: "Faulty" }
  /** Good as soon as the effect has ended; `changes` are laid over the identity. */
  | { readonly _tag: "Scripted"; readonly until: Effect.Effect<void>; readonly changes?: Partial<Identity> }

/** A caller. Every text holds a canary of its own. */
export interface Caller {
  readonly token: string
  readonly subject: string
  readonly clientId: string | undefined
  readonly email: string | undefined
  /** Scopes beside those that are required. */
  readonly scopes: ReadonlyArray<string>
  /** What the token says beside that. */
  readonly claim: string
}

/** The public text of each rejection. Written out again: a suite that took them from the code would follow its mistakes. */
export const rejectionTexts: Readonly<Record<InvalidTokenReason, string>> = {
  MalformedToken: "Invalid token format",
  UnsupportedAlgorithm: "Unsupported algorithm",
  UnknownKey: "Unknown signing key",
  InvalidSignature: "Invalid signature",
  Expired: "Token has expired",
  NotYetValid: "Token is not yet valid",
  InvalidIssuer: "Invalid issuer",
  InvalidAudience: "Invalid audience",
  MissingClaim: "Missing required claim",
  Inactive: "Token is not active",
  UnknownToken: "Token not found",
  ValidationFailed: "Token validation failed"
}

// `Object.keys` has no narrower type; the table has exactly these keys.
const reasons = Object.keys(rejectionTexts) as ReadonlyArray<InvalidTokenReason>

// What has broken fields, logs and parsers: line ends, quotes, separators, and characters beyond ASCII and Latin-1.
const pieces = ["\r\nx-injected: 1", "\u0000", "\"", "\\", ",", ";", "%", " ", "é", "山", "😀", "\u202e", "="]
const hostile = textOf(pieces, { maxLength: 4 })

const hostileCanary = (role: string): Arbitrary.Arbitrary<string> =>
  Arbitrary.map(Arbitrary.all([hostile, canaryOf(role), hostile]), (parts) => parts.join(""))

const optional = (text: Arbitrary.Arbitrary<string>): Arbitrary.Arbitrary<string | undefined> =>
  either(Arbitrary.Constant(undefined), text)

const token = either(
  canaryOf("opaque"),
  Arbitrary.map(
    Arbitrary.all([canaryOf("header"), canaryOf("payload"), canaryOf("signature")]),
    (parts) => parts.join(".")
  )
)

/** Any caller. */
export const anyCaller: Arbitrary.Arbitrary<Caller> = Arbitrary.all({
  token,
  subject: hostileCanary("subject"),
  clientId: optional(hostileCanary("client")),
  email: optional(hostileCanary("email")),
  scopes: oneOf([[], ["extra"], ["a:b", "\u00e9\"\\"]]),
  claim: hostileCanary("claim")
})

/** What shows, however the rest is escaped, that one of the texts is there that say who a caller is. */
export const identityCanaries = ({ claim, clientId, email, subject }: Caller): ReadonlyArray<string> =>
  [claim, clientId, email, subject].flatMap((text) => text?.match(/(?:subject|client|email|claim)-[0-9a-z]+/) ?? [])

export const good: Verdict = { _tag: "Good" }

/** Any refusal. */
export const refused: Arbitrary.Arbitrary<Verdict> = oneOf(
  reasons.map((reason): Verdict => ({ _tag: "Refused", reason }))
)

/** The provider cannot be asked, or the verifier has a fault. */
export const outage: Arbitrary.Arbitrary<Verdict> = oneOf<Verdict>([
  { _tag: "Unavailable", retryAfter: 10 },
  { _tag: "Unavailable", retryAfter: 0.2 },
  { _tag: "Faulty" }
])

/** Any verdict. */
export const anyVerdict: Arbitrary.Arbitrary<Verdict> = either(
  Arbitrary.Constant(good),
  Arbitrary.Constant<Verdict>({ _tag: "Unscoped" }),
  refused,
  outage
)
