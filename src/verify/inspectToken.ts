/** The inspection of a token by the provider that is responsible for it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { BearerToken } from "../credential/BearerToken.ts"
import type { InvalidTokenReason, VerificationError } from "../errors/GatewayError.ts"
import { show, showAll } from "../errors/show.ts"
import type { Identity } from "../identity/Identity.ts"
import { type CheckedClaims, kindRule, timesRule } from "./claims/claimRules.ts"
import { isAccessType } from "./claims/tokenKind.ts"
import { shownTimes } from "./claims/validity.ts"
import { applied, type InspectedToken, type Inspection, rejectedBy } from "./Inspection.ts"
import { hasJwtShape, peekJwt } from "./jwt/CompactJws.ts"
import type { Rejection } from "./Rejection.ts"
import type { Selection } from "./selectProvider.ts"
import type { RuleName } from "./TokenRule.ts"
import type { Verdict } from "./Verdict.ts"

/** Inspects a static token, of which only the expiry is checked. */
const inspectListed = Effect.fnUntraced(function*(
  identity: Identity,
  verify: Effect.Effect<Verdict, VerificationError>
): Effect.fn.Return<InspectedToken> {
  const { claims, clientId, expiresAt, provider, scopes, subject } = identity
  const verdict = yield* Effect.result(verify)
  const expected = "those of the list"
  return {
    form: "listed",
    provider: { name: provider, chosenBy: "the token is in its list" },
    findings: [
      {
        rule: "times",
        expected: "an expiry to come, or none",
        found: expiresAt === undefined
          ? "no expiry"
          : shownTimes({ exp: expiresAt }, (yield* Clock.currentTimeMillis) / 1000),
        ...(Result.isFailure(verdict) ? { error: verdict.failure } : {})
      },
      { rule: "client", expected, found: show(clientId) },
      { rule: "subject", expected, found: show(subject) },
      { rule: "scopes", expected, found: scopes.length === 0 ? "no scopes" : showAll(scopes) }
    ],
    claims,
    identity
  }
})

/** The rule that failed if no provider could be selected. */
const ruleOf = (reason: InvalidTokenReason, isJwt: boolean): RuleName => {
  switch (reason) {
    case "InvalidIssuer":
      return "issuer"
    case "UnsupportedAlgorithm":
      return "algorithm"
    case "MalformedToken":
      return isJwt ? "form" : "provider"
    default:
      return "provider"
  }
}

const selectionExpected: Partial<Readonly<Record<RuleName, string>>> = {
  form: "three parts in base64url: header, claims, signature",
  algorithm: "a signature algorithm with a public key",
  issuer: "the issuer of a configured provider",
  provider: "a token of a configured provider"
}

/** Inspects a token that no provider is responsible for: only the rules that need no provider are checked. */
const inspectUnselected = Effect.fnUntraced(function*(
  text: string,
  rejected: Rejection,
  skew: number
): Effect.fn.Return<InspectedToken> {
  const isJwt = hasJwtShape(text)
  const jwt = peekJwt(text)
  const rule = ruleOf(rejected.reason, isJwt)
  const finding = rejectedBy(rule, selectionExpected[rule] ?? "", rejected, undefined)
  if (jwt === undefined) return { form: isJwt ? "jwt" : "opaque", findings: [finding] }
  const token: CheckedClaims = {
    claims: jwt.claims,
    rules: { audience: [], allowedClients: [] },
    now: (yield* Clock.currentTimeMillis) / 1000,
    skew,
    requireExpiry: true,
    typ: jwt.typ,
    isAccessType: isAccessType(jwt.typ)
  }
  return {
    form: "jwt",
    findings: [finding, ...applied([kindRule, timesRule], token, undefined)],
    claims: jwt.claims
  }
})

/** Inspects a token with a verifier that reports only whether it accepts the token. */
const inspectByVerdict = (
  name: string,
  verify: Effect.Effect<Verdict, VerificationError>
): Effect.Effect<Inspection> => {
  const expected = `the verifier of ${name} accepts the token`
  return Effect.match(verify, {
    onFailure: (error) => ({
      findings: [{ rule: "verifier" as const, expected, found: error.detail ?? "the token lacks scopes", error }]
    }),
    onSuccess: ({ identity }) => ({
      findings: [{ rule: "verifier" as const, expected, found: "it accepts the token" }],
      claims: identity.claims,
      identity
    })
  })
}

const chosenBy = ({ by, provider: { tokenPrefix = "" } }: Selection): string => {
  switch (by) {
    case "Prefix":
      return `the token begins with its prefix ${tokenPrefix}`
    case "Issuer":
      return "it has the token's issuer"
    case "Shape":
      return "it is the only provider of tokens that are not JWTs of a configured issuer"
  }
}

const inspectSelected = (token: BearerToken, selection: Selection): Effect.Effect<Inspection> => {
  const { provider } = selection
  if (selection._tag === "Jwt") {
    const { inspect, name, verify } = selection.provider
    return inspect === undefined ? inspectByVerdict(name, verify(selection.jws)) : inspect(selection.jws)
  }
  const { inspect, verify } = selection.provider
  return inspect === undefined ? inspectByVerdict(provider.name, verify(token)) : inspect(token)
}

/**
 * Checks every rule about a token.
 *
 * @param known the identity of a static token, and its verification
 * @param selected the selected provider, or the reason why no provider is responsible
 */
export const inspectToken = (
  token: BearerToken,
  known: { readonly identity: Identity; readonly verify: Effect.Effect<Verdict, VerificationError> } | undefined,
  selected: Result.Result<Selection, Rejection>,
  skew: number
): Effect.Effect<InspectedToken> => {
  if (known !== undefined) return inspectListed(known.identity, known.verify)
  if (Result.isFailure(selected)) return inspectUnselected(Redacted.value(token), selected.failure, skew)
  const selection = selected.success
  return Effect.map(inspectSelected(token, selection), (inspection) => ({
    ...inspection,
    form: selection._tag === "Jwt" ? "jwt" : "opaque",
    provider: { name: selection.provider.name, chosenBy: chosenBy(selection) }
  }))
}
