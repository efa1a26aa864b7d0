/** Which of the resources that a URI template describes a pattern matches. */
import type { Glob } from "./Glob.ts"

/** An expression of a template (RFC 6570, section 2). */
const expression = /\{[^{}]*\}/g

/** Matches any text. No pattern has it: a URI cannot hold it. */
const anyText = "\uffff"

/** How many of a template's resources a set of patterns matches: none, some or all, if it is known. */
export type Cover = "None" | "Some" | "All"

/** Whether two texts can be equal if `anyText` in either matches any run of characters, also an empty one. */
const overlap = (first: string, second: string): boolean => {
  const { length } = second
  // For each position of the second text: 1 if the part of the first that was read can end there.
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
 * How many of the resources of a template the patterns match.
 *
 * `None` is certain. `All` is certain, too: a pattern that matches with an unknown text in place of each expression
 * matches with any text.
 */
export const coverOf = (globs: ReadonlyArray<Glob>, template: string): Cover => {
  const open = template.replaceAll(anyText, "").replace(expression, anyText)
  if (globs.some((glob) => glob.matches(open))) return "All"
  return globs.some(({ pattern }) => overlap(pattern.replaceAll("*", anyText), open)) ? "Some" : "None"
}
