type Row = ReadonlyArray<string>

const line = (cells: Row): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`

/** Builds a Markdown table without padding, so that a changed row is one changed line. */
export const markdownTable = (head: Row, rows: ReadonlyArray<Row>): string =>
  [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")
