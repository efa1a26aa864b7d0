/** Why an evaluation came to no result, in words that hold nothing of what it was about: only the expression itself. */
import type { CelError } from "@bufbuild/cel"
import { show } from "../../errors/show.ts"

/** Characters of the expression that are shown. */
const maxShown = 32

/** A function is called with other types than it has. */
const misfit = (name: string, types: ReadonlyArray<string>): string => {
  const given = types.filter((type) => type !== "")
  // The surprise that CEL has for everybody: it compares an int with a double, and does not add them.
  const fix = given.includes("double") && given.includes("int") ? "; numbers of JSON are doubles: write 1.0 for 1" : ""
  return `${name.replace(/^_?@?([^_@]+)_?$/, "$1")} cannot be used with (${given.join(", ")})${fix}`
}

/** The library's messages, and those for the log. Its other texts can hold values. */
const known: ReadonlyArray<readonly [said: RegExp, told: (match: RegExpExecArray) => string]> = [
  [/^(?:field not found|unresolved attribute)/, () => "a member that is looked at is missing; ask has(…) first"],
  [/^index .* out of bounds/s, () => "an index is outside of its list"],
  [
    /^found no matching overload for '([\w.@+\-*/%<>=![\]]+)' applied to '([\w., ]*)\(([\w., ]*)\)'$/,
    ([, name = "", target = "", types = ""]) => misfit(name, [target.replace(/\.$/, ""), ...types.split(", ")])
  ],
  [/^type mismatch: expected bool, got ([\w.]+)/, ([, type = ""]) => `a bool is needed, but this is ${type}`],
  [/^type mismatch: iterable vs/, () => "this is neither a list nor a map"],
  [/^(?:integer|unsigned integer|.*) ?(?:overflow|return error for overflow)/i, () => "a number is too large"],
  [/^(?:divi|modul)\w* by zero/i, () => "a division by zero"]
]

const reason = (message: string): string => {
  for (const [said, told] of known) {
    const match = said.exec(message)
    if (match !== null) return told(match)
  }
  return "this cannot be computed"
}

/** Where in the expression, and why. */
export const describe = (text: string, offset: number | undefined, error: CelError): string => {
  const why = reason(error.message)
  if (offset === undefined) return why
  const rest = text.slice(offset)
  const shown = rest.length > maxShown ? `${rest.slice(0, maxShown)}…` : rest
  return `at position ${offset + 1}, ${show(shown)}: ${why}`
}
