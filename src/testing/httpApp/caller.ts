/** The caller, the caller's token, and the verifier's verdict. */
import * as Arbitrary from "effect/Arbitrary"
import type * as Effect from "effect/Effect"
import type { InvalidTokenReason } from "../../errors/GatewayError.ts"
import type { Identity } from "../../identity/Identity.ts"
import { canaryOf, either, oneOf, textOf } from "../arbitrary.ts"

/** The verifier's verdict about the caller's token. It rejects all other tokens. */
export type Verdict =
  | { readonly _tag: "Good" }
  /** Accepted, but without one required scope: the first one, or the one at index `missing`. */
  | {
    readonly _tag: "Unscoped"
    readonly missing?: number
    /** The scopes that replace the missing one. Default: none. */
    readonly instead?: (scope: string) => ReadonlyArray<string>
  }
  | { readonly _tag: "Rejected"; readonly reason: InvalidTokenReason }
  | { readonly _tag: "Unavailable"; readonly retryAfter: number }
  /** The verifier has a defect. */
  | { readonly _tag: "Faulty" }
  /** Accepted once the effect has ended, with `changes` to the identity. */
  | { readonly _tag: "Scripted"; readonly until: Effect.Effect<void>; readonly changes?: Partial<Identity> }

/** A caller. Every text contains its own canary. */
export interface Caller {
  readonly token: string
  readonly subject: string
  readonly clientId: string | undefined
  readonly email: string | undefined
  /** Scopes in addition to the required ones. */
  readonly scopes: ReadonlyArray<string>
  /** A further claim of the token. */
  readonly claim: string
}

/** The public text of each rejection, written out here: texts imported from the code would repeat its mistakes. */
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

// Text that has broken fields, logs and parsers: line ends, quotes, separators, characters beyond ASCII and Latin-1.
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

/** The parts of the caller's texts that show a leak, regardless of how the rest is escaped. */
export const identityCanaries = ({ claim, clientId, email, subject }: Caller): ReadonlyArray<string> =>
  [claim, clientId, email, subject].flatMap((text) => text?.match(/(?:subject|client|email|claim)-[0-9a-z]+/) ?? [])

export const good: Verdict = { _tag: "Good" }

/** Any rejection. */
export const rejected: Arbitrary.Arbitrary<Verdict> = oneOf(
  reasons.map((reason): Verdict => ({ _tag: "Rejected", reason }))
)

/** The provider is unavailable, or the verifier has a defect. */
export const outage: Arbitrary.Arbitrary<Verdict> = oneOf<Verdict>([
  { _tag: "Unavailable", retryAfter: 10 },
  { _tag: "Unavailable", retryAfter: 0.2 },
  { _tag: "Faulty" }
])

/** Any verdict. */
export const anyVerdict: Arbitrary.Arbitrary<Verdict> = either(
  Arbitrary.Constant(good),
  Arbitrary.Constant<Verdict>({ _tag: "Unscoped" }),
  rejected,
  outage
)
