/** Which resources of a URI template a pattern matches. Pure. */
import type { Glob } from "./Glob.ts"

/** An expression of a template (RFC 6570, section 2). */
const expression = /\{[^{}]*\}/g

/** Stands for any text. No pattern contains this character, because no URI can. */
const anyText = "\uffff"

/** How many resources of a template a set of patterns matches: none, some or all, as far as that can be decided. */
export type Cover = "None" | "Some" | "All"

/**
 * Returns whether two texts can be equal, if `anyText` in either one stands for any run of characters, even an empty
 * one.
 */
const overlap = (first: string, second: string): boolean => {
  const { length } = second
  // For each position in the second text: 1 if the processed part of the first text can end there.
  let reached = new Uint8Array(length + 1)
  reached[0] = 1
  for (let at = 0; at < length && second[at] === anyText; at++) reached[at + 1] = 1
  for (let from = 0; from < first.length; from++) {
    const character = first[from]
    const next = new Uint8Array(length + 1)
    next[0] = character === anyText ? reached[0] ?? 0 : 0
    for (let at = 1; at <= length; at++) {
      const other = second[at - 1]
      const isOpen = character === anyText || other === anyText
      const before = isOpen ? (reached[at] ?? 0) | (next[at - 1] ?? 0) : 0
      next[at] = before | (isOpen || character === other ? reached[at - 1] ?? 0 : 0)
    }
    reached = next
  }
  return reached[length] === 1
}

/**
 * Returns how many resources of the template the patterns match.
 *
 * `None` and `All` are certain: if a pattern matches with an unknown text in place of each expression, it matches with
 * any text.
 */
export const coverOf = (globs: ReadonlyArray<Glob>, template: string): Cover => {
  const open = template.replaceAll(anyText, "").replace(expression, anyText)
  if (globs.some((glob) => glob.matches(open))) return "All"
  return globs.some(({ pattern }) => overlap(pattern.replaceAll("*", anyText), open)) ? "Some" : "None"
}
