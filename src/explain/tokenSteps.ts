/** The steps about the token itself, from what its provider's verifier finds. Pure. */
import { show, showAll } from "../errors/show.ts"
import { own } from "../remote/JsonObject.ts"
import { decisive, type Finding, type InspectedToken } from "../verify/Inspection.ts"
import { type RuleName, ruleNames } from "../verify/TokenRule.ts"
import type { Step } from "./Explanation.ts"
import { clocks, type FixContext, fixFor } from "./fixes.ts"
import type { GivenToken } from "./form.ts"

const ofJwt: ReadonlySet<RuleName> = new Set<RuleName>([
  "kind",
  "algorithm",
  "key",
  "signature",
  "times",
  "issuer",
  "audience",
  "client",
  "subject",
  "scopes"
])

/** The verdict of several findings about one rule: that of the first one with an error, otherwise that of the first one. */
const merged = (findings: ReadonlyArray<Finding>): Finding | undefined =>
  findings.find(({ error }) => error !== undefined) ?? findings.find(({ isSkipped }) => isSkipped !== true) ??
    findings[0]

const verdictOf = ({ error, isSkipped }: Finding): Step["verdict"] => {
  if (error !== undefined) return error._tag === "ProviderUnavailable" ? "unknown" : "fail"
  return isSkipped === true ? "skipped" : "pass"
}

const stepOf = (finding: Finding, context: FixContext): Step => {
  const { error, expected, found, rule } = finding
  const clock = rule === "times" ? clocks(context.clockDifference) : undefined
  return {
    name: rule,
    verdict: verdictOf(finding),
    expected,
    found: clock === undefined ? found : `${found}; ${clock}`,
    ...(error === undefined ? {} : { fix: fixFor(rule, error, context) })
  }
}

const formExpected = "one token, as the client sends it after the word Bearer"

const kinds: { readonly [Form in InspectedToken["form"]]: string } = {
  jwt: "a JWT",
  opaque: "an opaque token",
  static: "a static token"
}

const characters = (length: number): string => `${length} ${length === 1 ? "character" : "characters"}`

/** The step about the form of a token. */
export const formStep = (given: GivenToken, inspected: InspectedToken | undefined, context: FixContext): Step => {
  const { differences, error, fix, length } = given
  if (error !== undefined) {
    const found = differences.length === 0
      ? "detail" in error ? error.detail : "nothing"
      : `a token with more than itself: ${differences.join(" and ")}. The steps below are about the token without it`
    return { name: "form", verdict: "fail", expected: formExpected, found, ...(fix === undefined ? {} : { fix }) }
  }
  const finding = inspected?.findings.find(({ rule }) => rule === "form")
  if (finding !== undefined) return stepOf(finding, context)
  const kind = inspected === undefined ? "a token" : kinds[inspected.form]
  return { name: "form", verdict: "pass", expected: formExpected, found: `${kind} of ${characters(length)}` }
}

const causeOf = (findings: ReadonlyArray<Finding>): string => decisive(findings)?.rule ?? "form"

const providerStep = ({ findings, provider }: InspectedToken, context: FixContext): Step => {
  const expected = "a configured provider whose tokens look like this"
  const finding = findings.find(({ rule }) => rule === "provider")
  if (finding !== undefined) return stepOf(finding, context)
  return provider === undefined
    ? {
      name: "provider",
      verdict: "skipped",
      expected,
      found: `no provider is responsible, because of the ${causeOf(findings)}`
    }
    : { name: "provider", verdict: "pass", expected, found: `${show(provider.name)}: ${provider.chosenBy}` }
}

const missing = (rule: RuleName, { claims, findings }: InspectedToken, { issuers }: FixContext): Step => ({
  name: rule,
  verdict: "skipped",
  expected: rule === "issuer" ? showAll(issuers) : "",
  found: rule === "issuer" && claims !== undefined
    ? show(own(claims, "iss"))
    : `not checked, because of the ${causeOf(findings)}`
})

/** The steps about the token after its form, in the order in which people read them. */
export const tokenSteps = (inspected: InspectedToken, context: FixContext): ReadonlyArray<Step> =>
  ruleNames.flatMap((rule): ReadonlyArray<Step> => {
    if (rule === "form") return []
    if (rule === "provider") return [providerStep(inspected, context)]
    const finding = merged(inspected.findings.filter((one) => one.rule === rule))
    if (finding !== undefined) return [stepOf(finding, context)]
    return inspected.form === "jwt" && inspected.provider === undefined && ofJwt.has(rule)
      ? [missing(rule, inspected, context)]
      : []
  })
