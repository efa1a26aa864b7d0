import { fold } from "./memberName.ts"

/** A name as the most lenient parsers compare it: without case, and ended at U+0000. Equal results are one name to them. */
export const foldedName = (name: string): string => {
  const end = name.indexOf("\u0000")
  let folded = ""
  for (const character of end === -1 ? name : name.slice(0, end)) {
    folded += String.fromCodePoint(fold(character.codePointAt(0) ?? 0))
  }
  return folded.toLowerCase()
}
