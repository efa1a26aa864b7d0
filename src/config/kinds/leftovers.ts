/**
 * Finds leftovers of env files, shells, templates and copied pages in a value, which change its meaning.
 *
 * They cannot be part of a valid value of most settings. Mistakes never repeat the value.
 */
import * as Result from "effect/Result"
import type { Mistake } from "../InvalidConfiguration.ts"

const quotes = "\"'`“”„‟‘’‚‛«»‹›＂＇"
const quotedAtOneEnd = new RegExp(`^[${quotes}]|[${quotes}]$`, "u")

// Format characters, and unusual blanks, which web pages and word processors insert.
const invisible = /[\p{Cf}\u00a0\u2007\u202f\u2028\u2029]/u

const stopgap = /^(?:…|\.{3}|\*{3,}|todo|tbd|change[-_ ]?me)$/i

const placeholders: ReadonlyArray<RegExp> = [
  /\$\{[^}]*\}?|\$\([^)]*\)?|\$[A-Za-z_]\w*/, // ${VAR}, $(VAR), $VAR
  /\{\{[^}]*\}\}/, // {{ .Values.issuer }}
  /<[^<>]+>/, // <your-tenant>
  /#\{[^}]*\}#?/, // #{VAR}#
  /^x{3,16}$/i,
  stopgap
]

const wholePlaceholders: ReadonlyArray<RegExp> = [
  /^\$\{[^}]*\}$/,
  /^\$\([A-Za-z_][\w.-]*\)$/,
  /^\$[A-Z_][A-Z0-9_]*$/,
  /^%[A-Z_][A-Z0-9_]*%$/i,
  /^\{\{[^}]*\}\}$/,
  /^<[^<>]+>$/,
  /^#\{[^}]*\}#?$/,
  stopgap
]

// `%2Frun%2F` is percent-encoding; anything else does not decode.
const hasWindowsVariable = (text: string): boolean =>
  /%[A-Za-z_]\w+%/.test(text) && Result.isFailure(Result.try(() => decodeURIComponent(text)))

const unfilled: Mistake = {
  problem: "holds a placeholder that nothing has filled in",
  fix: "Write the value itself, or check what was to replace it: an env file, a shell or a template"
}

const inQuotes: Mistake = {
  problem: "begins or ends with a quotation mark",
  fix: "Remove the quotation marks: what read the file or the command has taken them for a part of the value"
}

/** `["a", "b"]`, and failed attempts to write it. */
export const isJsonArray = (text: string): boolean =>
  text.startsWith("[") && text.endsWith("]") && !/^\[[0-9A-Fa-f:.]+\]$/.test(text)

/** The mistake about quotation marks, JSON, placeholders or invisible characters in a value, if there are any. */
export const leftover = (text: string): Mistake | undefined => {
  if (quotedAtOneEnd.test(text)) return inQuotes
  if (isJsonArray(text)) {
    return {
      problem: "is a JSON array where one value is expected",
      fix: "Write the value without brackets and quotes"
    }
  }
  if (/^\{\s*["'}]/.test(text)) {
    return { problem: "is a JSON object where one value is expected", fix: "Write the value itself" }
  }
  if (placeholders.some((placeholder) => placeholder.test(text)) || hasWindowsVariable(text)) return unfilled
  return invisible.test(text)
    ? { problem: "contains an invisible character", fix: "Type the value instead of copying it from a page" }
    : undefined
}

/** The mistake about a value that consists of a placeholder. */
export const placeholderAlone = (text: string): Mistake | undefined =>
  wholePlaceholders.some((placeholder) => placeholder.test(text)) ? unfilled : undefined

/**
 * Like `leftover`, for a secret, which may contain any character: reports only placeholders, and quotation marks
 * around it.
 */
export const leftoverOfSecret = (text: string): Mistake | undefined => {
  const left = placeholderAlone(text)
  if (left !== undefined) return left
  return text.length > 2 && /^(["'`]).*\1$|^[“„‘«].*[”“’»]$/su.test(text)
    ? {
      problem: "begins and ends with a quotation mark",
      fix: "Remove the quotation marks; a secret that really has them must stand in the config file"
    }
    : undefined
}

/** `{tenantid}`, as URLs and identifiers in documentation have it. */
export const hasTemplate = (text: string): boolean => /\{[^{}]*\}/.test(text)

export const unfilledTemplate: Mistake = {
  problem: "holds a part in braces, which is to be replaced by a value of yours",
  fix: "Write your own value in its place, without the braces"
}
