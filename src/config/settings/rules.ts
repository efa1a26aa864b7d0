import { ScopeHierarchy } from "../../rules/ScopeHierarchy.ts"
import { defaultRule, rules as ruleList } from "../kinds/rules.ts"
import { scopeImplies } from "../kinds/scopeImplies.ts"
import { none, type Setting } from "./Setting.ts"

export const rules = {
  MCP_RULES: {
    kind: ruleList,
    absent: none,
    otherwise: "none",
    doc:
      "Who may use which methods, tools, prompts and resources: an array of [rules](../rules/README.md), the first " +
      "match decides.",
    perServer: true
  },
  MCP_DEFAULT_RULE: {
    kind: defaultRule,
    default: "authenticated",
    doc: "What decides about a message that no rule matches: `authenticated` allows it for every caller with a valid " +
      "token, `deny` for no caller.",
    perServer: true
  },
  MCP_SCOPE_IMPLIES: {
    kind: scopeImplies,
    absent: () => ScopeHierarchy.none,
    otherwise: "none",
    doc: "Scopes that include others: `{\"admin\": [\"write\"], \"write\": [\"read\"]}`, transitively.",
    perServer: true
  }
} as const satisfies Record<string, Setting>
