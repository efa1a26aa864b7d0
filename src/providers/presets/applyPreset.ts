import * as Result from "effect/Result"
import type { DecidedFields } from "../../config/GatewaySettings.ts"
import type { FieldReader, GivenFields } from "../../config/providers/FieldReader.ts"
import { isProviderField, type ProviderFieldName, providerFields } from "../../config/providers/providerFields.ts"
import { decode, type Given } from "../../config/sources/Source.ts"
import { nearestName } from "../../errors/nearestName.ts"
import type { Json } from "../../identity/Json.ts"
import type { FacadeFacts, Facts, GivenValue, Preset } from "./Preset.ts"
import { presets } from "./presets.ts"

/** The preset that a provider names, and the fields that the preset provides. */
export interface AppliedPreset {
  readonly name: string
  readonly fields: GivenFields
  /** The facade, completed by the preset. Not among the fields, because it may contain a secret. */
  readonly facade: GivenFields
  /** The members of the facade that the preset has decided. */
  readonly facadeFacts: FacadeFacts
}

/**
 * The fields that a preset has provided, for `--check`.
 *
 * @param fields those that the type of the provider uses
 */
export const decidedFields = ({ facadeFacts, name }: AppliedPreset, fields: GivenFields): DecidedFields => ({
  name,
  fields: {
    // All values here were built by `applyPreset`, from JSON.
    ...Object.fromEntries([...fields].map(([field, { value }]) => [field, value as Json])),
    ...(Object.keys(facadeFacts).length === 0 ? {} : { facade: { ...facadeFacts } })
  }
})

const find = ({ read, report }: FieldReader): Preset | undefined => {
  const word = read("preset")
  if (word === undefined) return undefined
  const preset = presets.find(({ name }) => name === word.toLowerCase())
  if (preset !== undefined) return preset
  const names = presets.map(({ name }) => name)
  const meant = nearestName(word, names)
  report("preset", {
    problem: "is not the name of a preset",
    fix: meant === undefined ? `Write one of ${names.join(", ")}` : `Did you mean ${meant}?`
  })
  return undefined
}

const valueIn = ({ allowHttp, given }: FieldReader): GivenValue => (field) => {
  const found = given.get(field)
  return found === undefined
    ? undefined
    : Result.getOrUndefined(decode(providerFields[field].setting, found, allowHttp))
}

/** Reports missing fields and mistakes. Returns whether there were any. */
const reportMistakes = ({ given, label, report }: FieldReader, preset: Preset, value: GivenValue): boolean => {
  const missing = preset.needs.filter(({ fields }) => !fields.some((field) => given.has(field)))
  for (const { fix, fields: [field, ...others] } of missing) {
    const or = others.map((other) => `, or ${label(other)}`).join("")
    report(field, { problem: `is missing; the preset ${preset.name} needs it${or}`, fix })
  }
  const mistakes = preset.mistakes?.(value) ?? []
  for (const { field, ...mistake } of mistakes) report(field, mistake)
  return missing.length + mistakes.length > 0
}

const entriesOf = (facts: Facts): ReadonlyArray<readonly [ProviderFieldName, Json]> =>
  Object.entries(facts).flatMap(([field, value]) =>
    isProviderField(field) && value !== undefined ? [[field, value]] : []
  )

const facadeOf = (
  { given }: FieldReader,
  preset: Preset,
  value: GivenValue
): Pick<AppliedPreset, "facade" | "facadeFacts"> => {
  const found = given.get("facade")
  const own = value("facade")
  if (found === undefined || own === undefined || preset.facade === undefined) {
    return { facade: new Map(), facadeFacts: {} }
  }
  const facts = preset.facade(value)
  return {
    facade: new Map([["facade", { ...found, isText: false, value: { ...facts, ...own } }]]),
    facadeFacts: Object.fromEntries(Object.entries(facts).filter(([member]) => own[member] === undefined))
  }
}

/**
 * Returns the fields that the preset of a provider provides; `undefined` if the provider names no preset, or `Wrong`
 * after reporting missing fields and mistakes.
 */
export const applyPreset = (fields: FieldReader): AppliedPreset | "Wrong" | undefined => {
  if (!fields.given.has("preset")) return undefined
  const preset = find(fields)
  if (preset === undefined) return "Wrong"
  const value = valueIn(fields)
  if (reportMistakes(fields, preset, value)) return "Wrong"
  const asGiven = (fact: Json): Given => ({
    value: fact,
    isText: false,
    source: `the preset ${preset.name}`,
    spellings: []
  })
  const decided = entriesOf({ name: preset.name, ...preset.fields, ...preset.derive?.(value) })
    .filter(([field]) => !fields.given.has(field))
  const completed = entriesOf(preset.complete?.(value) ?? {})
  return {
    name: preset.name,
    fields: new Map([...decided, ...completed].map(([field, fact]) => [field, asGiven(fact)])),
    ...facadeOf(fields, preset, value)
  }
}
