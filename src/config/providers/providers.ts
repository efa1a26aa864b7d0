/** The providers: the single one that top-level settings describe, or those of `MCP_PROVIDERS`. */
import * as Result from "effect/Result"
import { nearestName, showMember } from "../../errors/nearestName.ts"
import { onlyKeySet } from "../../providers/onlyKeySet.ts"
import { applyPreset, decidedFields } from "../../providers/presets/applyPreset.ts"
import type { ProviderType } from "../../providers/ProviderType.ts"
import { isCommonField, providerTypes, typeNames, usesField } from "../../providers/types.ts"
import type { Provider } from "../GatewaySettings.ts"
import type { Problem } from "../InvalidConfiguration.ts"
import { type SettingName } from "../settings.ts"
import { isObject } from "../sources/nested.ts"
import { fromSettingFile, givenTwice, mayBeFile, noFiles } from "../sources/settingFiles.ts"
import { decode, type Given } from "../sources/Source.ts"
import * as FieldReader from "./FieldReader.ts"
import {
  formerFields,
  isProviderField,
  type ProviderFieldName,
  providerFieldNames,
  providerFields
} from "./providerFields.ts"
import { reportPair } from "./providerPairs.ts"
import type { ProviderContext } from "./providerParts.ts"
import { readFacade } from "./readFacade.ts"

type Settings = ReadonlyMap<SettingName, Given>

const flatFields = providerFieldNames.filter((field) => !providerFields[field].gatewayWide)

/** At least one of these fields is needed to describe a provider. */
const identifying: ReadonlySet<ProviderFieldName> = new Set<ProviderFieldName>([
  "type",
  "preset",
  ...providerTypes.flatMap(({ identifiedBy = [] }) => identifiedBy)
])

const flat = (settings: Settings): ReadonlyMap<ProviderFieldName, Given> =>
  new Map(flatFields.flatMap((field) => {
    const given = settings.get(providerFields[field].setting)
    return given === undefined ? [] : [[field, given]]
  }))

/** `client_secret_file` names a file that holds the client secret. */
const fileFields: ReadonlyMap<string, ProviderFieldName> = new Map(
  providerFieldNames.filter((field) => mayBeFile(providerFields[field].setting)).map((
    field
  ) => [`${field}_file`, field])
)

const settingOf = (field: string): string => isProviderField(field) ? providerFields[field].setting : field

/** The fields of one entry of `MCP_PROVIDERS`. */
const entry = (
  value: unknown,
  index: number,
  source: string | undefined,
  problems: Array<Problem>,
  { allowHttp = [], contentOf = noFiles }: ProviderContext,
  types: ReadonlyArray<ProviderType>
) => {
  const setting = `MCP_PROVIDERS[${index}]`
  if (!isObject(value)) {
    problems.push({ setting, source, problem: "is not an object", fix: "Write {\"type\": …, \"issuer\": …}" })
    return undefined
  }
  const given = new Map<ProviderFieldName, Given>()
  const addedFields = types.find(({ name }) => name === value["type"])?.addedFields ?? []
  const added = new Map<string, Given>()
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue
    if (addedFields.includes(name) && !isCommonField(name)) {
      added.set(name, { value: member, isText: false, source, spellings: [name] })
      continue
    }
    const own = isProviderField(name) ? name : formerFields.get(name)
    const field = own ?? fileFields.get(name)
    if (field !== undefined) {
      const found: Given = { value: member, isText: false, source, spellings: [name] }
      const other = given.get(field)
      if (other !== undefined) problems.push(givenTwice(`${setting}.${field}`, other.spellings.join(), name))
      const read = field === own ? undefined : fromSettingFile(`${setting}.${name}`, found, contentOf)
      given.set(field, read?.given ?? found)
      if (read?.problem !== undefined) problems.push(read.problem)
      continue
    }
    const meant = nearestName(name, [...providerFieldNames, ...fileFields.keys(), ...addedFields])
    problems.push({
      setting: `${setting}.${showMember(name)}`,
      source,
      problem: "is not a field of a provider",
      fix: meant === undefined ? `Known are ${providerFieldNames.join(", ")}` : `Did you mean ${meant}?`
    })
  }
  return FieldReader.make(setting, given, added, (field) => `${setting}.${field}`, problems, allowHttp)
}

const readers = (
  settings: Settings,
  problems: Array<Problem>,
  context: ProviderContext,
  types: ReadonlyArray<ProviderType>
): ReadonlyArray<FieldReader.FieldReader> => {
  const { allowHttp = [] } = context
  const single = flat(settings)
  const several = settings.get("MCP_PROVIDERS")
  if (several === undefined) {
    return [...single.keys()].some((field) => identifying.has(field))
      ? [FieldReader.make("the provider", single, new Map(), settingOf, problems, allowHttp)]
      : []
  }
  const { source } = several
  if (single.size > 0) {
    const names = [...single].map(([field, given]) => given.source ?? providerFields[field].setting)
    problems.push({
      setting: "MCP_PROVIDERS",
      source,
      problem: `is given together with ${names.join(", ")}, which describe a provider by themselves`,
      fix: "Keep one of the two ways"
    })
  }
  const entries = decode("MCP_PROVIDERS", several)
  if (Result.isFailure(entries)) {
    for (const mistake of entries.failure) problems.push({ setting: "MCP_PROVIDERS", source, ...mistake })
    return []
  }
  return entries.success.flatMap((value, index) => entry(value, index, source, problems, context, types) ?? [])
}

/** Returns the given type, or the one that the other fields imply; `undefined` if the given type is wrong. */
const readType = (
  { given, read, report }: FieldReader.FieldReader,
  types: ReadonlyArray<ProviderType>
): ProviderType | undefined => {
  const word = given.get("type")
  if (word === undefined) return types.find(({ isMeantBy }) => isMeantBy?.(given))
  const text = read("type")
  if (text === undefined) return undefined
  const type = word.isText ? text.toLowerCase() : text
  const found = types.find(({ aliases = [], name }) => name === type || aliases.includes(type))
  if (found === undefined) {
    report("type", {
      problem: "is not one of the known words",
      fix: `Write one of ${typeNames(types).join(", ")}`
    })
  }
  return found
}

/** Reads each field separately, so that its problems are reported. */
const readEach = ({ read }: FieldReader.FieldReader): undefined => {
  for (const field of providerFieldNames) if (field !== "type" && field !== "preset") read(field)
  return undefined
}

/** Returns the fields of a preset that a type uses. Others would be reported as mistakes. */
const usedBy = (type: ProviderType, fields: FieldReader.GivenFields): FieldReader.GivenFields =>
  new Map([...fields].filter(([field]) => usesField(type, field)))

/** Returns a provider with its type, or `undefined` after reporting everything that is wrong with it. */
const resolveProvider = (
  given: FieldReader.FieldReader,
  context: ProviderContext,
  types: ReadonlyArray<ProviderType>
) => {
  const preset = applyPreset(given)
  if (preset === "Wrong") return readEach(given)
  const type = readType(preset === undefined ? given : given.with(new Map([...preset.fields, ...given.given])), types)
  // Without a valid type, the fields cannot be checked together, only separately.
  if (type === undefined) return readEach(given)
  const decided = preset === undefined ? undefined : usedBy(type, preset.fields)
  const fields = preset === undefined || decided === undefined
    ? given
    : given.with(new Map([...decided, ...preset.facade]))
  for (const field of fields.given.keys()) {
    if (usesField(type, field)) continue
    fields.report(field, {
      problem: `has no use for a provider of type ${type.name}`,
      fix: `Remove it, or choose another type with ${fields.label("type")}`
    })
  }
  const resolved = type.resolve(fields, context)
  const hasMetadata = resolved !== undefined && (type.advertisedIssuers?.(resolved) ?? []).length > 0
  const facade = usesField(type, "facade")
    ? readFacade(
      fields,
      context,
      resolved === undefined || hasMetadata,
      resolved === undefined || onlyKeySet(type, resolved) !== undefined
    )
    : undefined
  if (resolved === undefined) return undefined
  const standIn = usesField(type, "stand_in_metadata") && fields.read("stand_in_metadata") === true
  if (standIn && fields.given.has("facade")) {
    fields.report("stand_in_metadata", {
      problem: "has no use next to a facade, which has metadata of its own",
      fix: "Remove one of the two"
    })
  }
  const provider = {
    ...resolved,
    ...(facade === undefined ? {} : { facade }),
    ...(standIn ? { standInMetadata: true } : {}),
    ...(preset === undefined || decided === undefined ? {} : { preset: decidedFields(preset, decided) })
  }
  return { provider, type, fields }
}

/**
 * Returns the providers, in order, and adds problems to `problems`.
 *
 * @param addedTypes types in addition to the gateway's own
 */
export const resolveProviders = (
  settings: Settings,
  context: ProviderContext,
  addedTypes: ReadonlyArray<ProviderType>,
  problems: Array<Problem>
): ReadonlyArray<Provider> => {
  const types = [...providerTypes, ...addedTypes]
  const names = typeNames(types)
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
    problems.push({
      setting: "types",
      source: undefined,
      problem: `has a second type ${JSON.stringify(name)}`,
      fix: "Give each provider type a name of its own"
    })
  }
  const resolved = readers(settings, problems, context, types)
    .flatMap((fields) => resolveProvider(fields, context, types) ?? [])
  for (const [index, second] of resolved.entries()) {
    for (const first of resolved.slice(0, index)) reportPair(first, second)
  }
  return resolved.map(({ provider }) => provider)
}

/** Returns whether the settings name any provider, valid or not. */
export const namesProvider = (settings: Settings): boolean => {
  const several = settings.get("MCP_PROVIDERS")
  if (several === undefined) return [...flat(settings).keys()].some((field) => identifying.has(field))
  const entries = decode("MCP_PROVIDERS", several)
  return Result.isFailure(entries) || entries.success.length > 0
}
