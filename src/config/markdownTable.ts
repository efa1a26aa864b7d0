type Row = ReadonlyArray<string>

const line = (cells: Row): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`

/** A Markdown table whose cells are not padded, so that a change of one row is a change of one line. */
export const markdownTable = (head: Row, rows: ReadonlyArray<Row>): string =>
  [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")
