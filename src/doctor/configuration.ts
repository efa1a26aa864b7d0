/** The step before those of a client: what the gateway itself needs. Only for the gateway's own configuration. Pure. */
import { clients, grouped, makeFinding, type Rule } from "./Finding.ts"
import type { OnlineFinding } from "./online/OnlineFinding.ts"
import { type StepResult, verdictOf } from "./Report.ts"

const id = "configuration"
const title = "Configuration"

const rules = {
  "configuration-error": {
    level: "error",
    title: "Something that the gateway needs does not work",
    why: "Requests of clients fail, or their tokens cannot be verified.",
    clients,
    specification: "The documentation of this gateway, Settings and providers.",
    fix: "See what was found. mcp-authorizer --check --online prints the same."
  },
  "configuration-warning": {
    level: "warning",
    title: "A setting is unwise, or something that the gateway needs is not in order",
    why: "Some requests may fail, or the service is less safe than it could be.",
    clients: [],
    specification: "The documentation of this gateway, Settings and providers.",
    fix: "See what was found. mcp-authorizer --check --online prints the same."
  },
  "configuration-note": {
    level: "note",
    title: "About the configuration",
    why: "No action is needed.",
    clients: [],
    specification: "The documentation of this gateway, Settings and providers.",
    fix: "None."
  }
} satisfies Readonly<Record<string, Rule>>

const finding = makeFinding(rules)

const codes = {
  error: "configuration-error",
  warning: "configuration-warning",
  note: "configuration-note"
} as const

/** Builds the step from the results of the checks of `--check --online`, and the warnings about settings. */
export const configurationStep = (
  found: ReadonlyArray<OnlineFinding>,
  warnings: ReadonlyArray<string>
): StepResult => {
  const findings = [
    ...found.flatMap(({ level, text }) => level === "ok" ? [] : [finding(codes[level], { found: text })]),
    ...warnings.map((text) => finding("configuration-warning", { found: text }))
  ]
  const good = found.filter(({ level }) => level === "ok").length
  return {
    id,
    title,
    verdict: verdictOf(findings),
    seen: `${good} of ${found.length} checks of providers and the MCP server are good`,
    findings: grouped(findings)
  }
}
