/**
 * The types of settings with a comment at each member, for editors, because a derived type has no comments.
 *
 * `npm run readme` writes the files; a test checks that they are current.
 */
import { typesUsing } from "../providers/types.ts"
import { providerFieldNames, providerFields } from "./providers/providerFields.ts"
import {
  type OwnServerFieldName,
  ownServerFieldNames,
  ownServerFields,
  serverSettings
} from "./servers/serverFields.ts"
import {
  fileKey,
  fileKeysOf,
  type GatewayName,
  gatewayNames,
  propertyOf,
  type SettingName,
  settingNames,
  settings
} from "./settings.ts"

const width = 116

/** Words in lines of a comment, within the width of a page. */
const wrapped = (text: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length + 1 > width - 5) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

const comment = (text: string): string =>
  text.length <= width - 7
    ? `  /** ${text} */`
    : ["  /**", ...wrapped(text).map((line) => `   * ${line}`), "   */"].join("\n")

const meaning = (name: SettingName): string => {
  const { default: text, doc, otherwise } = settings[name]
  const without = text === undefined ? otherwise : `\`${text}\``
  return without === undefined ? doc : `${doc} Default: ${without}.`
}

const member = (key: string, type: string, text: string): string =>
  `${comment(text)}\n  readonly ${key}?: ${type} | undefined`

const withFormer = (
  key: string,
  formerKeys: ReadonlyArray<string>,
  type: string,
  text: string
): ReadonlyArray<string> =>
  [member(key, type, text)].concat(
    formerKeys.map((old) => member(old, type, `@deprecated The former name of \`${key}\`.`))
  )

/** Settings whose type depends on which provider types there are. */
const byType: Readonly<Partial<Record<SettingName, string>>> = {
  MCP_PROVIDER_PRESET: "PresetName",
  MCP_PROVIDER_TYPE: "ProviderTypeName",
  MCP_PROVIDERS: "ReadonlyArray<ProviderInput | AddedInput<Types[number]>>",
  MCP_SERVERS: "ReadonlyArray<ServerInput>"
}

const inputOf = (name: SettingName): string => byType[name] ?? `Input<"${name}">`

const providerMembers = providerFieldNames.flatMap((field) => {
  const { formerly, setting } = providerFields[field]
  const text = `${meaning(setting)} For ${typesUsing(field).join(", ")}.`
  return withFormer(field, formerly === undefined ? [] : [formerly], inputOf(setting), text)
})

const ownServerTypes: Readonly<Record<OwnServerFieldName, readonly [mark: string, type: string]>> = {
  name: ["", "string"],
  host: ["?", "string | undefined"],
  providers: ["?", "string | ReadonlyArray<string> | undefined"]
}

const serverMembers = [
  ...ownServerFieldNames.map((field) => {
    const { doc, otherwise } = ownServerFields[field]
    const [mark, type] = ownServerTypes[field]
    return `${comment(`${doc} Default: ${otherwise}.`)}\n  readonly ${field}${mark}: ${type}`
  }),
  ...[...serverSettings].filter(([key, name]) => key !== fileKey(name)).map(([key, name]) =>
    name === "MCP_SERVER_URL"
      ? `${comment(settings[name].doc)}\n  readonly ${key}: ${inputOf(name)}`
      : member(key, inputOf(name), `${settings[name].doc} Default: that of the gateway.`)
  )
]

const sharedNames = [...serverSettings].filter(([key, name]) => key === fileKey(name)).map(([key]) => key)

const inputMembers = settingNames.flatMap((name) => {
  const [key, ...formerKeys] = fileKeysOf(name)
  return key === undefined ? [] : withFormer(key, formerKeys, inputOf(name), meaning(name))
})

/** The meaning of a setting as the gateway uses it, whose times are in milliseconds. */
const resolvedMeaning = (name: GatewayName): string =>
  propertyOf(name).endsWith("Millis")
    ? settings[name].doc.replaceAll("in seconds", "in milliseconds")
    : settings[name].doc

const resolvedMembers = gatewayNames.map((name) =>
  `${comment(`${resolvedMeaning(name)} (\`${fileKey(name)}\`)`)}\n  readonly ${propertyOf(name)}: Used<"${name}">`
)

const module = (lines: ReadonlyArray<string>): string =>
  ["// Written by `npm run readme` from the table of settings: change the table.", ...lines, "}", ""].join("\n")

/** The module `GatewayConfigInput.ts`. */
export const inputModule = (): string =>
  module([
    "import type { PresetName } from \"../providers/presets/presets.ts\"",
    "import type { ProviderTypeName } from \"../providers/types.ts\"",
    "import type { Input } from \"./settings.ts\"",
    "",
    "/** One provider of the gateway's own types: the fields that its type uses. */",
    "export interface ProviderInput {",
    ...providerMembers,
    "}",
    "",
    "/** The settings of the gateway that each of several MCP servers may have for itself. */",
    "type ServerSetting =",
    ...sharedNames.map((key) => `  | "${key}"`),
    "",
    "/** One of several MCP servers: what it leaves out it inherits from the gateway's own settings. */",
    "export interface ServerInput extends Pick<GatewayConfigInput, ServerSetting> {",
    ...serverMembers,
    "}",
    "",
    "type AddedInput<T> = T extends { readonly Input?: infer Input } ? Input : never",
    "",
    "/**",
    " * Settings in TypeScript code: the members of the config file, typed.",
    " *",
    " * Members that are missing or `undefined` get their defaults. Times are in seconds, or a `Duration`. Secrets may be `Redacted`.",
    " * `Types` are provider types of your own, whose providers may stand among the others.",
    " */",
    "export interface GatewayConfigInput<Types extends ReadonlyArray<unknown> = readonly []> {",
    ...inputMembers
  ])

/** The module `ResolvedSettings.ts`. */
export const resolvedModule = (): string =>
  module([
    "import type { Used } from \"./settings.ts\"",
    "",
    "/** The settings that describe the gateway itself, as it uses them. */",
    "export interface ResolvedSettings {",
    ...resolvedMembers
  ])
