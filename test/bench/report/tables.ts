/** Results as Markdown, for the terminal and for the README alike. */
import { compare, describeLimit, type Limits } from "./limits.ts"
import type { Figure, Score } from "./Outcome.ts"

type Line = ReadonlyArray<string>

/** A table whose columns line up. */
export const table = (head: Line, lines: ReadonlyArray<Line>): string => {
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => (line[column] ?? "").length)))
  const row = (line: Line) => `| ${widths.map((width, column) => (line[column] ?? "").padEnd(width)).join(" | ")} |`
  return [row(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...lines.map(row)].join("\n")
}

/** Three significant digits below a thousand, whole numbers above. */
export const number = (value: number): string =>
  Math.abs(value) < 1000 ? String(Number(value.toPrecision(3))) : Math.round(value).toLocaleString("en")

export const figureTable = (figures: ReadonlyArray<Figure & { readonly case: string }>): string =>
  table(
    ["Case", "What", "Median", "Least", "Most", "Unit"],
    figures.map((one) => [one.case, one.name, number(one.median), number(one.least), number(one.most), one.unit])
  )

export const scoreTable = (scores: ReadonlyArray<Score>, limits: Limits): string =>
  table(
    ["Score", "What", "Value", "Limit", "Verdict"],
    scores.map((one) => {
      const limit = limits[one.id]
      return [one.id, one.meaning, number(one.value), describeLimit(limit), compare(one, limit)]
    })
  )
