import { clients } from "./Finding.ts"
import { rules } from "./steps.ts"

export const findingsReference = (): string =>
  [
    "| Step | Code | Level | Finding | Clients |",
    "| --- | --- | --- | --- | --- |",
    ...[...rules].map(([code, { rule, step }]) =>
      `| ${step.title} | \`${code}\` | ${rule.level} | ${rule.title} | ${
        rule.clients.length === clients.length ? "all" : rule.clients.join(", ")
      } |`
    )
  ].join("\n")
