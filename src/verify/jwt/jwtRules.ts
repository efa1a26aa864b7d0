/** The rules about JWTs of a provider, in the order of the verification (RFC 7519, section 7.2; RFC 8725). Pure. */
import type { JwsAlgorithm } from "../../config/GatewaySettings.ts"
import { fillTemplate } from "../../config/kinds/issuerTemplate.ts"
import { show } from "../../errors/show.ts"
import { isSameIssuer } from "../../remote/issuerUrl.ts"
import { own } from "../../remote/JsonObject.ts"
import type { AudienceRules } from "../claims/audience.ts"
import { audienceRule, type CheckedClaims, clientRule, kindRule, timesRule } from "../claims/claimRules.ts"
import type { IdentityRules } from "../claims/identity.ts"
import { checkType, isAccessType, shownKind } from "../claims/tokenKind.ts"
import { type Rejection, rejection } from "../Rejection.ts"
import type { TokenRule } from "../TokenRule.ts"
import type { CompactJws } from "./CompactJws.ts"
import type { JoseHeader } from "./JoseHeader.ts"

/** The settings of a provider that concern its JWTs. */
export interface JwtRules extends IdentityRules, AudienceRules {
  /** The tenants whose tokens are accepted, if `issuer` is a template. Never empty. */
  readonly tenants?: ReadonlyArray<string> | undefined
  /** The allowed algorithms. Never empty. */
  readonly algorithms: ReadonlyArray<JwsAlgorithm>
  /** Whether the header must have `typ: at+jwt` (RFC 9068, section 4). */
  readonly requireAccessTokenType: boolean
}

/** A JWT, and the settings and values that it is checked against. */
export interface CheckedJwt extends CheckedClaims {
  readonly header: JoseHeader
  readonly rules: JwtRules
  /** The provider's issuers, one for each tenant. */
  readonly issuers: ReadonlyArray<string>
}

type JwtRule = TokenRule<CheckedJwt>

const algorithmRule: JwtRule = {
  name: "algorithm",
  check: ({ header: { alg }, rules: { algorithms } }) =>
    algorithms.includes(alg)
      ? undefined
      : rejection("UnsupportedAlgorithm", `alg is ${alg}; MCP_JWT_ALGORITHM is ${algorithms.join(", ")}`),
  expected: ({ rules: { algorithms } }) => algorithms.join(", "),
  found: ({ header: { alg } }) => alg
}

const expectedIssuer = ({ issuers, rules: { issuer, tenants } }: CheckedJwt): string =>
  tenants === undefined
    ? show(issuer)
    : `${show(issuer)} of ${issuers.length === 1 ? "the tenant" : "one of the tenants"} ${
      tenants.slice(0, 8).join(", ")
    }`

const issuerRule: JwtRule = {
  name: "issuer",
  check: ({ claims, issuers, rules: { issuer } }) => {
    const iss = own(claims, "iss")
    return typeof iss === "string" && issuers.some((one) => isSameIssuer(one, iss))
      ? undefined
      : rejection("InvalidIssuer", `iss is ${show(iss)}; the provider's issuer is ${show(issuer)}`)
  },
  expected: expectedIssuer,
  found: ({ claims }) => show(own(claims, "iss"))
}

/** If a token names its tenant in two places, they must agree (Entra's `tid`, and the issuer). */
const checkTenant = ({ claims, rules: { issuer, tenants } }: CheckedJwt): Rejection | undefined => {
  const tid = own(claims, "tid")
  if (tenants === undefined || tid === undefined) return undefined
  const iss = own(claims, "iss")
  return typeof tid === "string" && typeof iss === "string" && isSameIssuer(fillTemplate(issuer, tid), iss)
    ? undefined
    : rejection("InvalidIssuer", `tid is ${show(tid)}, another tenant than that of iss`)
}

const tenantRule: JwtRule = {
  name: "issuer",
  check: checkTenant,
  expected: expectedIssuer,
  found: (token) => checkTenant(token)?.detail ?? show(own(token.claims, "iss"))
}

const typeRule: JwtRule = {
  name: "kind",
  check: ({ header: { typ }, rules }) => checkType(typ, rules.requireAccessTokenType),
  expected: ({ rules }) =>
    rules.requireAccessTokenType ? "the type at+jwt in the header (MCP_REQUIRE_AT_JWT)" : "an access token",
  found: (token) => typeRule.check(token)?.detail ?? shownKind(token.claims, token.typ)
}

/** Rules that are checked before the signature. Their results tell a forger nothing about claims. */
export const headerRules: ReadonlyArray<JwtRule> = [algorithmRule, issuerRule, typeRule]

/**
 * Rules that are checked after the signature. The kind comes first, because a token of another kind also fails other
 * checks, and their errors would hide the actual mistake.
 */
export const claimRules: ReadonlyArray<JwtRule> = [tenantRule, kindRule, timesRule, audienceRule, clientRule]

/** Prepares a token for the rules. */
export const checkedJwt = (
  { claims, header }: CompactJws,
  rules: JwtRules,
  issuers: ReadonlyArray<string>,
  nowMillis: number,
  skew: number
): CheckedJwt => ({
  claims,
  header,
  rules,
  issuers,
  now: nowMillis / 1000,
  skew,
  requireExpiry: true,
  typ: header.typ,
  isAccessType: isAccessType(header.typ)
})
