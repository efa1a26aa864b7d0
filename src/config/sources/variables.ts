import * as Result from "effect/Result"
import { nearestName, showName } from "../../errors/nearestName.ts"
import type { Problem } from "../InvalidConfiguration.ts"
import { type SettingName, settingNames, settings, spellingsOf } from "../settings.ts"
import { readAuthConfig } from "./authConfig.ts"
import { type ContentOf, fileSettings, fromSettingFile, givenTwice, noFiles } from "./settingFiles.ts"
import { decode, type Given, type Source } from "./Source.ts"

const byName: ReadonlyMap<string, SettingName> = new Map(
  settingNames.flatMap((name) => spellingsOf(name).map((spelling) => [spelling, name]))
)

const byFileName: ReadonlyMap<string, SettingName> = new Map(
  fileSettings.flatMap((name) => spellingsOf(name).map((spelling) => [`${spelling}_FILE`, name]))
)

const knownNames = [...byName.keys(), ...byFileName.keys()]

/** Every name that a setting has as a variable: the canonical ones and the others. */
export const variableNames: ReadonlyArray<string> = [...byName.keys()]

const currentNames: ReadonlyMap<string, SettingName> = new Map(
  settingNames.flatMap((name) => {
    const { formerly } = settings[name]
    return formerly === undefined ? [] : [[formerly, name]]
  })
)

/** Names that only this gateway should use, so that an unknown one is a mistake. */
const claimed = /^(?:MCP_|AUTHKIT_|AUTH_PROVIDER_)/

const canonical = (spelling: string): string => spelling.toUpperCase().replace(/^SPIN_VARIABLE_/, "")

const unknownName = (spelling: string): Problem => {
  const name = canonical(spelling)
  const plain = name.replace(/^MCP_/, "") // MCP_PORT
  const found = byName.has(plain) ? plain : nearestName(name, knownNames.filter((known) => claimed.test(known)))
  const meant = found && (currentNames.get(found) ?? found)
  return {
    setting: showName(spelling),
    source: undefined,
    problem: "is not a setting",
    fix: meant === undefined ? "It is unknown: unset it; the reference lists all settings" : `Did you mean ${meant}?`
  }
}

/** `true` and `yes` are one value; everything else is compared as it was written. */
const isSame = (name: SettingName, a: Given, b: Given): boolean => {
  if (a.value === b.value) return true
  const [one, other] = [decode(name, a), decode(name, b)]
  return Result.isSuccess(one) && Result.isSuccess(other) &&
    typeof one.success === "boolean" && one.success === other.success
}

/**
 * Settings from variables of the environment, or of a host that has the like.
 *
 * Names count in any case, with or without `SPIN_VARIABLE_` before them. Values are trimmed, and an empty one is not
 * given. Names that are not settings are passed over, unless they look as if they were meant to be.
 *
 * @param contentOf what files hold that variables such as `MCP_CLIENT_SECRET_FILE` name
 */
export const fromVariables = (
  variables: Readonly<Record<string, string | undefined>>,
  contentOf: ContentOf = noFiles
): Source => {
  const found = new Map<SettingName, ReadonlyArray<Given>>()
  const problems: Array<Problem> = []
  const add = (name: SettingName, given: Given) => found.set(name, [...found.get(name) ?? [], given])

  // Empty ones first: a manifest for Spin declares all variables, of which most stay empty.
  const written = Object.entries(variables).flatMap(([spelling, value]) => {
    const text = value?.trim() ?? ""
    return text === "" ? [] : [[spelling, text] as const]
  })
  for (const [spelling, text] of written.toSorted(([a], [b]) => a < b ? -1 : 1)) {
    const name = byName.get(canonical(spelling))
    const named = byFileName.get(canonical(spelling))
    if (name !== undefined) {
      const source = spelling === name ? undefined : spelling
      add(name, { value: text, isText: true, source, spellings: [spelling] })
    } else if (named !== undefined) {
      const path = { value: text, isText: true, source: spelling, spellings: [spelling] }
      const { given, problem } = fromSettingFile(`${named}_FILE`, path, contentOf)
      add(named, given)
      if (problem !== undefined) {
        problems.push({ ...problem, source: spelling === problem.setting ? undefined : spelling })
      }
    } else if (claimed.test(canonical(spelling))) {
      problems.push(unknownName(spelling))
    }
  }

  for (const authConfig of found.get("AUTH_CONFIG") ?? []) {
    const { fromFile, source, value } = authConfig
    if (fromFile === "Unusable") {
      // It was most likely meant to configure a provider.
      add("MCP_PROVIDERS", authConfig)
      continue
    }
    const { mistakes, given } = readAuthConfig(String(value))
    for (const [name, member] of given) add(name, member)
    for (const mistake of mistakes) problems.push({ setting: "AUTH_CONFIG", source, ...mistake })
  }

  const given = new Map<SettingName, Given>()
  for (const [name, all] of found) {
    const first = all.find(({ source }) => source === undefined) ?? all[0]
    if (first === undefined) continue
    for (const other of all) {
      if (other !== first && (first.fromFile ?? other.fromFile) !== undefined) {
        problems.push(givenTwice(name, first.source ?? name, other.source ?? name))
        continue
      }
      if (isSame(name, first, other)) continue
      problems.push({
        setting: name,
        source: undefined,
        problem: `is given twice with different values, as ${first.source ?? name} and as ${other.source ?? name}`,
        fix: "Keep one of them"
      })
    }
    given.set(name, { ...first, spellings: all.flatMap(({ spellings }) => spellings) })
  }
  return { given, problems }
}

export const configFile = (variables: Readonly<Record<string, string | undefined>>): string | undefined => {
  const given = fromVariables(variables).given.get("MCP_CONFIG_FILE")
  return given === undefined ? undefined : String(given.value)
}
