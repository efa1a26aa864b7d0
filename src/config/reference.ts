import { providerFieldNames, providerFields } from "./providerFields.ts"
import { mayBeFile } from "./settingFiles.ts"
import { fileKey, settingNames, settings } from "./settings.ts"

type Row = ReadonlyArray<string>

/** A Markdown table with its columns aligned, as the formatter writes it. */
const table = (head: Row, rows: ReadonlyArray<Row>): string => {
  const escaped = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")))
  const widths = head.map((_, column) => Math.max(3, ...escaped.map((row) => row[column]?.length ?? 0)))
  const line = (row: Row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  const [first, ...others] = escaped.map(line)
  return [first, line(widths.map((width) => "-".repeat(width))), ...others].join("\n")
}

const code = (text: string): string => `\`${text}\``

/** The reference of all settings, as a Markdown table. */
export const settingsReference = (): string =>
  table(
    ["Setting", "Also accepted", "In the file", "Values", "Default", "Meaning"],
    settingNames.map((name) => {
      const names = [...settings[name].aliases ?? [], ...(mayBeFile(name) ? [`${name}_FILE`] : [])]
      const { default: value, doc, kind, otherwise, secret, variableOnly } = settings[name]
      return [
        code(name),
        names.map(code).join(", "),
        variableOnly === true ? "" : code(fileKey(name)),
        secret === true ? `${kind.label}, secret` : kind.label,
        value === undefined ? otherwise ?? "" : code(value),
        doc
      ]
    })
  )

/** The reference of the fields of a provider entry, as a Markdown table. */
export const providerReference = (): string =>
  table(
    ["Field", "As the setting", "For the types"],
    providerFieldNames.map((field) => {
      const { setting, types } = providerFields[field]
      const name = mayBeFile(setting) ? `${code(field)}, ${code(`${field}_file`)}` : code(field)
      return [name, code(setting), types.join(", ")]
    })
  )
