import { typesUsing } from "../providers/types.ts"
import { labelOf } from "./kinds/kind.ts"
import { markdownTable } from "./markdownTable.ts"
import { providerFieldNames, providerFields } from "./providers/providerFields.ts"
import { ownServerFieldNames, ownServerFields, serverSettings } from "./servers/serverFields.ts"
import { fileKeysOf, settingNames, settings, spellingsOf } from "./settings.ts"
import { shownKind } from "./shownKind.ts"
import { mayBeFile } from "./sources/settingFiles.ts"

const code = (text: string): string => `\`${text}\``

/** The reference of all settings, as a Markdown table. */
export const settingsReference = (): string =>
  markdownTable(
    ["Setting", "Also accepted", "In the file", "Values", "Default", "Meaning"],
    settingNames.map((name) => {
      const names = [...spellingsOf(name).slice(1), ...(mayBeFile(name) ? [`${name}_FILE`] : [])]
      const { default: value, doc, otherwise, secret } = settings[name]
      const label = labelOf(shownKind(name))
      return [
        code(name),
        names.map(code).join(", "),
        fileKeysOf(name).slice(0, 1).map(code).join(),
        secret === true ? `${label}, secret` : label,
        value === undefined ? otherwise ?? "" : code(value),
        doc
      ]
    })
  )

/** The reference of the fields of a provider entry, as a Markdown table. */
export const providerReference = (): string =>
  markdownTable(
    ["Field", "As the setting", "For the types"],
    providerFieldNames.map((field) => {
      const { setting } = providerFields[field]
      const name = mayBeFile(setting) ? `${code(field)}, ${code(`${field}_file`)}` : code(field)
      return [name, code(setting), typesUsing(field).join(", ")]
    })
  )

/** The reference of the fields of a server entry, as a Markdown table. */
export const serverReference = (): string =>
  markdownTable(
    ["Field of a server", "As the setting", "Default", "Meaning"],
    [
      ...ownServerFieldNames.map((field) => {
        const { doc, otherwise } = ownServerFields[field]
        return [code(field), "", otherwise, doc]
      }),
      ...[...serverSettings].map(([field, name]) => {
        const written = mayBeFile(name) ? `${code(field)}, ${code(`${field}_file`)}` : code(field)
        return [written, code(name), name === "MCP_SERVER_URL" ? "must be set" : "as the setting", settings[name].doc]
      })
    ]
  )
