import type { Policy } from "../rules/Policy.ts"
import type { GatewaySettings } from "./GatewaySettings.ts"
import type { Problem } from "./InvalidConfiguration.ts"

type RuleSettings = Pick<GatewaySettings, "rules" | "defaultRule" | "scopeImplies">

/** Returns the policy of one MCP server, compiled for decisions; `undefined` if it has no rules. */
export const policyOf = ({ defaultRule, rules, scopeImplies }: RuleSettings): Policy | undefined =>
  rules.length === 0 ? undefined : { rules, otherwise: defaultRule, implies: scopeImplies }

export const scopesOfRules = ({ rules }: Pick<RuleSettings, "rules">): ReadonlyArray<string> => [
  ...new Set(rules.flatMap(({ scopes }) => scopes))
]

/**
 * Reports problems between rules.
 *
 * @param areGiven whether the settings contain rules, even if these are invalid
 */
export const checkRules = (
  { authEnabled, bindSessions, defaultRule, rules }:
    & RuleSettings
    & Pick<GatewaySettings, "authEnabled" | "bindSessions">,
  areGiven: boolean
): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  if (!authEnabled && rules.length > 0) {
    problems.push({
      setting: "MCP_RULES",
      source: undefined,
      problem: "has rules, but MCP_AUTH_ENABLED is false, which lets every request pass",
      fix: "Remove one of them; a rule with \"allow\": \"anyone\" lets callers in without a token"
    })
  }
  if (!bindSessions && rules.some(({ anyone }) => anyone)) {
    problems.push({
      setting: "MCP_BIND_SESSIONS",
      source: undefined,
      problem: "is false, but a rule lets anyone in, who could then use the sessions of callers that have a token",
      fix: "Remove MCP_BIND_SESSIONS, or the rules with \"allow\": \"anyone\""
    })
  }
  if (defaultRule === "deny" && !areGiven) {
    problems.push({
      setting: "MCP_DEFAULT_RULE",
      source: undefined,
      problem: "is deny, but there are no rules, so that no caller could do anything",
      fix: "Set MCP_RULES, or remove MCP_DEFAULT_RULE"
    })
  }
  return problems
}
