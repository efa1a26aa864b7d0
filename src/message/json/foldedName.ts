import { fold } from "./memberName.ts"

/**
 * Folds a name like the most lenient parsers: without case, and ended at U+0000. They treat names with equal results as
 * one.
 */
export const foldedName = (name: string): string => {
  const end = name.indexOf("\u0000")
  let folded = ""
  for (const character of end === -1 ? name : name.slice(0, end)) {
    folded += String.fromCodePoint(fold(character.codePointAt(0) ?? 0))
  }
  return folded.toLowerCase()
}
