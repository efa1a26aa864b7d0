import { lineFields, logFields } from "../log/logFields.ts"
import { markdownTable } from "./markdownTable.ts"

const code = (text: string): string => `\`${text}\``

/** The table of the fields of log lines for the README. */
export const logReference = (): string =>
  markdownTable(
    ["Field", "`ecs`", "`otel`", "Meaning"],
    Object.entries({ ...lineFields, ...logFields }).map(([name, { doc, ecs, otel }]) => [
      code(name),
      code(ecs),
      code(otel),
      doc
    ])
  )
