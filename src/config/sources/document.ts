import { nearestName, showMember } from "../../errors/nearestName.ts"
import type { Problem } from "../InvalidConfiguration.ts"
import { fileKey, fileKeysOf, type SettingName, settingNames, settings, spellingsOf } from "../settings.ts"
import { isObject } from "./nested.ts"
import { type ContentOf, fileSettings, fromSettingFile, givenTwice, noFiles } from "./settingFiles.ts"
import type { Given, Source } from "./Source.ts"

const byKey: ReadonlyMap<string, SettingName> = new Map(
  settingNames.flatMap((name) => fileKeysOf(name).map((key) => [key, name]))
)

const byFileKey: ReadonlyMap<string, SettingName> = new Map(
  fileSettings.flatMap((name) => settings[name].variableOnly ? [] : [[`${fileKey(name)}_file`, name]])
)

const byVariable: ReadonlyMap<string, SettingName> = new Map(
  settingNames.flatMap((name) => spellingsOf(name).map((variable) => [variable, name]))
)

const unknownKey = (key: string): Problem => {
  const variable = key.toUpperCase()
  const setting = byVariable.get(variable) ?? byVariable.get(`MCP_${variable}`)
  const nearest = nearestName(key, [...byKey.keys(), ...byFileKey.keys()])
  const known = setting ?? (nearest === undefined ? undefined : byKey.get(nearest))
  const meant = known !== undefined && byKey.get(fileKey(known)) === known ? fileKey(known) : nearest
  return {
    setting: showMember(key),
    source: undefined,
    problem: "is not a setting",
    fix: meant === undefined ? "Remove it; the reference lists all settings" : `Did you mean ${meant}?`
  }
}

const read = (
  document: unknown,
  whole: string,
  source: (key: string) => string,
  contentOf: ContentOf
): Source => {
  if (!isObject(document)) {
    const fix = "Write one JSON object, as {\"server_url\": …}"
    return {
      given: new Map(),
      problems: [{ setting: whole, source: undefined, problem: "is not a JSON object", fix }]
    }
  }
  const given = new Map<SettingName, Given>()
  const problems: Array<Problem> = []
  for (const [key, value] of Object.entries(document)) {
    if (value === undefined || key === "$schema") continue
    const name = byKey.get(key) ?? byFileKey.get(key)
    if (name === undefined) {
      problems.push(unknownKey(key))
      continue
    }
    const found: Given = { value, isText: false, source: source(key), spellings: [key] }
    const other = given.get(name)
    if (other !== undefined) problems.push(givenTwice(name, other.source ?? name, source(key)))
    if (byKey.has(key)) {
      given.set(name, found)
    } else {
      const read = fromSettingFile(`${name}_FILE`, found, contentOf)
      given.set(name, read.given)
      if (read.problem !== undefined) problems.push(read.problem)
    }
  }
  return { given, problems }
}

/**
 * Settings from a config file, already parsed as JSON. A member `$schema` is for editors and is passed over.
 *
 * @param contentOf what files hold that members such as `client_secret_file` name
 */
export const fromFile = (document: unknown, contentOf: ContentOf = noFiles): Source =>
  read(document, "MCP_CONFIG_FILE", (key) => `${key} in the config file`, contentOf)

/** Settings from TypeScript code. Members that are `undefined` are not given. */
export const fromInput = (input: object): Source => read(input, "The configuration", (key) => key, noFiles)
