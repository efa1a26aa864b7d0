import * as JsonSchema from "effect/JsonSchema"
import * as Result from "effect/Result"
import { typesUsing } from "../providers/types.ts"
import { fromText, jsonSchemaOf, shown } from "./kinds/kind.ts"
import { type ProviderFieldName, providerFieldNames, providerFields } from "./providers/providerFields.ts"
import { ownServerFieldNames, ownServerFields, serverSettings } from "./servers/serverFields.ts"
import { fileKeysOf, type SettingName, settingNames, settings } from "./settings.ts"
import { shownKind } from "./shownKind.ts"
import { mayBeFile } from "./sources/settingFiles.ts"

const jsonDefault = (name: SettingName): { readonly default?: string | number | boolean } => {
  const { default: text, kind } = settings[name]
  if (text === undefined) return {}
  const value = Result.getOrThrow(fromText<unknown>(kind, text))
  const shownValue = shown<unknown, unknown>(kind, value)
  return { default: typeof shownValue === "number" || typeof shownValue === "boolean" ? shownValue : text }
}

/** The settings with entries. Secrets in entries are hidden member by member. */
const holdsOthers: ReadonlySet<SettingName> = new Set<SettingName>(["MCP_PROVIDERS", "MCP_SERVERS", "MCP_FACADE"])

/** Editors and generated forms hide write-only members. */
const hidden = (name: SettingName): { readonly writeOnly?: true } =>
  settings[name].secret === true && !holdsOthers.has(name) ? { writeOnly: true } : {}

const fileMember = (key: string, name: SettingName): ReadonlyArray<Member> =>
  mayBeFile(name)
    ? [[`${key}_file`, { type: "string", minLength: 1, description: `A file that holds \`${key}\`.` }]]
    : []

type Member = readonly [key: string, schema: JsonSchema.JsonSchema]

const former = (schema: JsonSchema.JsonSchema, current: string): JsonSchema.JsonSchema => ({
  ...schema,
  description: `The former name of \`${current}\`.`,
  deprecated: true
})

const providerMembers = (field: ProviderFieldName): ReadonlyArray<Member> => {
  const { formerly, setting } = providerFields[field]
  const { doc } = settings[setting]
  const description = `${doc} For ${typesUsing(field).join(", ")}.`
  const schema = { ...jsonSchemaOf(shownKind(setting)), description, ...hidden(setting) }
  const formerMember: ReadonlyArray<Member> = formerly === undefined ? [] : [[formerly, former(schema, field)]]
  return [[field, schema], ...fileMember(field, setting), ...formerMember]
}

const provider: JsonSchema.JsonSchema = {
  type: "object",
  additionalProperties: false,
  properties: Object.fromEntries(providerFieldNames.flatMap(providerMembers))
}

const serverMembers = ([key, name]: readonly [string, SettingName]): ReadonlyArray<Member> => {
  const schema = { ...jsonSchemaOf(shownKind(name)), description: settings[name].doc, ...hidden(name) }
  return [[key, schema], ...fileMember(key, name)]
}

const server: JsonSchema.JsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["name", "url"],
  properties: Object.fromEntries([
    ...ownServerFieldNames.map((key): Member => {
      const { doc, kind } = ownServerFields[key]
      return [key, { ...jsonSchemaOf(kind), description: doc }]
    }),
    ...[...serverSettings].flatMap(serverMembers)
  ])
}

/** The schemas of entries, for the settings that have entries. */
const entries: Readonly<Partial<Record<SettingName, JsonSchema.JsonSchema>>> = {
  MCP_PROVIDERS: provider,
  MCP_SERVERS: server
}

const member = (name: SettingName): JsonSchema.JsonSchema => {
  const { doc } = settings[name]
  const own = jsonSchemaOf(shownKind(name))
  const items = entries[name]
  const schema = items === undefined ? own : { ...own, items }
  return { ...schema, description: doc, ...jsonDefault(name), ...hidden(name) }
}

const membersOf = (name: SettingName): ReadonlyArray<Member> => {
  const [key, ...formerKeys] = fileKeysOf(name)
  if (key === undefined) return []
  const schema = member(name)
  return [[key, schema], ...fileMember(key, name), ...formerKeys.map((old): Member => [old, former(schema, key)])]
}

/** The JSON Schema (draft 2020-12) of the config file: every setting, except those that only variables can set. */
export const configFileSchema: JsonSchema.JsonSchema = {
  $schema: JsonSchema.META_SCHEMA_URI_DRAFT_2020_12,
  title: "mcp-authorizer configuration",
  type: "object",
  additionalProperties: false,
  properties: {
    $schema: { type: "string", description: "For editors." },
    ...Object.fromEntries(settingNames.flatMap(membersOf))
  }
}
