/** The steps about the token itself, from what its provider's verifier finds. Pure. */
import { show, showAll } from "../errors/show.ts"
import { own } from "../remote/JsonObject.ts"
import { decisive, type Finding, type InspectedToken } from "../verify/Inspection.ts"
import { type RuleName, ruleNames } from "../verify/TokenRule.ts"
import type { Explanation, Step } from "./Explanation.ts"
import { clocks, type FixContext, fixFor, noteFor } from "./fixes.ts"
import type { GivenToken } from "./form.ts"

/**
 * Rules that do not apply to the content of a JWT: those before it is parsed, and those about responses of the provider.
 */
const notOfJwt: ReadonlySet<RuleName> = new Set(["form", "provider", "endpoint", "verifier"])

const ofJwt: ReadonlySet<RuleName> = new Set(ruleNames.filter((name) => !notOfJwt.has(name)))

/** The verdict of several findings about one rule: that of the first one with an error, or else of the first one. */
const merged = (findings: ReadonlyArray<Finding>): Finding | undefined =>
  findings.find(({ error }) => error !== undefined) ?? findings.find(({ isSkipped }) => isSkipped !== true) ??
    findings[0]

const verdictOf = ({ error, isSkipped }: Finding): Step["verdict"] => {
  if (error !== undefined) return error._tag === "ProviderUnavailable" ? "unknown" : "fail"
  return isSkipped === true ? "skipped" : "pass"
}

const stepOf = (finding: Finding, context: FixContext): Step => {
  const { error, expected, found, isSkipped, rule } = finding
  const clock = rule === "times" && isSkipped !== true ? clocks(context.clockDifference) : undefined
  const fix = error === undefined
    ? isSkipped === true ? undefined : noteFor(rule, context)
    : fixFor(rule, error, context)
  return {
    name: rule,
    verdict: verdictOf(finding),
    expected,
    found: clock === undefined ? found : `${found}; ${clock}`,
    ...(fix === undefined ? {} : { fix })
  }
}

const formExpected = "one token, as the client sends it after the word Bearer"

const forms: { readonly [Form in Explanation["token"]["form"]]: string } = {
  jwt: "a JWT",
  opaque: "an opaque token",
  listed: "a static token",
  encrypted: "an encrypted token (JWE)",
  unusable: "a text"
}

const characters = (length: number): string => `${length} ${length === 1 ? "character" : "characters"}`

export const formStep = (
  given: GivenToken,
  form: Explanation["token"]["form"],
  context: FixContext,
  finding?: Finding
): Step => {
  const { differences, error, fix, length } = given
  if (error !== undefined) {
    const found = differences.length === 0
      ? "detail" in error ? error.detail : "nothing"
      : `a token with more than itself: ${differences.join(" and ")}. The steps below are about the token without it`
    return { name: "form", verdict: "fail", expected: formExpected, found, ...(fix === undefined ? {} : { fix }) }
  }
  return finding === undefined
    ? { name: "form", verdict: "pass", expected: formExpected, found: `${forms[form]} of ${characters(length)}` }
    : stepOf(finding, context)
}

const causeOf = (findings: ReadonlyArray<Finding>): string => decisive(findings)?.rule ?? "form"

const providerStep = ({ findings, provider }: InspectedToken, context: FixContext, type: string): Step => {
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
    : { name: "provider", verdict: "pass", expected, found: `${show(provider.name)} (${type}): ${provider.chosenBy}` }
}

const missing = (rule: RuleName, { claims, findings }: InspectedToken, { issuers }: FixContext): Step => ({
  name: rule,
  verdict: "skipped",
  expected: rule === "issuer" ? showAll(issuers) : "",
  found: rule === "issuer" && claims !== undefined
    ? show(own(claims, "iss"))
    : `not checked, because of the ${causeOf(findings)}`
})

/**
 * The steps about the token after its form, in the order in which people read them.
 *
 * @param type the type of the responsible provider
 */
export const tokenSteps = (inspected: InspectedToken, context: FixContext, type: string): ReadonlyArray<Step> =>
  ruleNames.flatMap((rule): ReadonlyArray<Step> => {
    if (rule === "form") return []
    if (rule === "provider") return [providerStep(inspected, context, type)]
    const finding = merged(inspected.findings.filter((one) => one.rule === rule))
    if (finding !== undefined) return [stepOf(finding, context)]
    return inspected.form === "jwt" && inspected.provider === undefined && ofJwt.has(rule)
      ? [missing(rule, inspected, context)]
      : []
  })
