/**
 * Secrets and keys that stand in files, as Docker and Kubernetes mount them: `MCP_CLIENT_SECRET_FILE` names a file that
 * holds what `MCP_CLIENT_SECRET` would.
 *
 * Nothing here reads a file: a host that can does so beforehand and passes the result.
 */
import type { Mistake, Problem } from "../InvalidConfiguration.ts"
import { type SettingName, settingNames, settings } from "../settings.ts"
import type { Given } from "./Source.ts"

/** The contents of a file, or its problem, beginning with a verb. */
export type FileContent = { readonly text: string } | { readonly problem: string; readonly fix: string }

/** The content of the file with a path; `undefined` if it has not been read, or cannot be read. */
export type ContentOf = (path: string) => FileContent | undefined

/** The `ContentOf` of hosts without files, and of programs that embed the gateway. */
export const noFiles: ContentOf = () => undefined

/** Whether a setting may be given by a file: every secret, and keys. */
export const mayBeFile = (name: SettingName): boolean => {
  const { inFile, secret } = settings[name]
  return secret === true || inFile === true
}

export const fileSettings: ReadonlyArray<SettingName> = settingNames.filter(mayBeFile)

// Stricter than file systems, so that a secret in the wrong variable is not taken for a path and shown.
const path =
  /^(?:[A-Za-z]:|\.{1,2}|~)?(?:[\\/][\w .@-]{1,64}){2,32}$|^[\w .\\/@-]{0,200}\.[A-Za-z][\w-]{0,11}$|^\/[a-z_-]{1,32}$/

const showPath = (text: string): string => path.test(text) ? text : "(not shown: it does not look like a path)"

const mistakeOf = (path: string, content: FileContent | undefined): Mistake | undefined => {
  if (content === undefined) {
    return {
      problem: "names a file, and nothing here can read files",
      fix: "Give the content itself, by the name without _FILE at its end"
    }
  }
  return "text" in content ? undefined : { problem: `${showPath(path)} ${content.problem}`, fix: content.fix }
}

/**
 * The value of a setting that is given by the path of a file, and the problems with it.
 *
 * @param setting what the setting with the path is called: `MCP_CLIENT_SECRET_FILE`
 * @param given the path, as it was found
 */
export const fromSettingFile = (
  setting: string,
  given: Given,
  contentOf: ContentOf
): { readonly given: Given; readonly problem: Problem | undefined } => {
  const { source, value } = given
  const named = typeof value === "string" ? value.trim() : ""
  if (named === "") {
    const mistake = { problem: "is not the path of a file", fix: "Name the file that holds the value" }
    return { given: { ...given, isText: true, fromFile: "Unusable" }, problem: { setting, source, ...mistake } }
  }
  const content = contentOf(named)
  const mistake = mistakeOf(named, content)
  return content !== undefined && "text" in content
    ? { given: { ...given, value: content.text, isText: true, fromFile: "Read" }, problem: undefined }
    : {
      given: { ...given, isText: true, fromFile: "Unusable" },
      problem: mistake && { setting, source, ...mistake }
    }
}

/** The mistake of a setting that is given both directly and by a file. */
export const givenTwice = (setting: string, one: string, other: string): Problem => ({
  setting,
  source: undefined,
  problem: `is given twice, as ${one} and as ${other}`,
  fix: "Keep one of them"
})
