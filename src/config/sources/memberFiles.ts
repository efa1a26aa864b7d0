/** Secrets inside of an object that stand in files: `client_secret_file` instead of `client_secret`. */
import * as Result from "effect/Result"
import type { Problem } from "../InvalidConfiguration.ts"
import { upstreamAuthFiles } from "../kinds/upstreamAuth.ts"
import type { SettingName } from "../settings.ts"
import { parseJson } from "./jsonText.ts"
import { isObject } from "./nested.ts"
import { type ContentOf, fromSettingFile, givenTwice } from "./settingFiles.ts"
import type { Given } from "./Source.ts"

/** For settings that are objects with secrets: the members whose values may be read from files. */
const memberFiles: Partial<Readonly<Record<SettingName, ReadonlyArray<string>>>> = {
  MCP_UPSTREAM_AUTH: upstreamAuthFiles
}

/** The object that a setting is given as; `undefined` if it is not an object, or cannot be read, which its kind reports. */
const objectOf = ({ isText, value }: Given): Readonly<Record<string, unknown>> | undefined => {
  if (!isText) return isObject(value) ? value : undefined
  if (typeof value !== "string" || !value.trim().startsWith("{")) return undefined
  const parsed = Result.getOrUndefined(parseJson(value))
  return isObject(parsed) ? parsed : undefined
}

/**
 * The setting with what its files hold in place of their paths. Problems of files are added to `problems`.
 *
 * @param label what the setting is called: `MCP_SERVERS[0].upstream_auth`
 */
export const withMemberFiles = (
  name: SettingName,
  label: string,
  given: Given,
  contentOf: ContentOf,
  problems: Array<Problem>
): Given => {
  const object = objectOf(given)
  const named = (memberFiles[name] ?? []).filter((member) => object?.[`${member}_file`] !== undefined)
  if (object === undefined || named.length === 0) return given
  const read: Record<string, unknown> = { ...object }
  let isUnusable = false
  for (const member of named) {
    const key = `${member}_file`
    if (object[member] !== undefined) problems.push(givenTwice(`${label}.${member}`, member, key))
    const found = fromSettingFile(
      `${label}.${key}`,
      { value: object[key], isText: false, source: given.source, spellings: [key] },
      contentOf
    )
    delete read[key]
    if (found.problem !== undefined) problems.push(found.problem)
    if (found.given.fromFile === "Unusable") isUnusable = true
    else read[member] = found.given.value
  }
  return { ...given, isText: false, value: read, ...(isUnusable ? { fromFile: "Unusable" as const } : {}) }
}
