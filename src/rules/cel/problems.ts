/**
 * Why an evaluation had no result, in words that contain no value from the evaluation, only parts of the expression.
 */
import type { CelError } from "@bufbuild/cel"
import { show } from "../../errors/show.ts"

/** The maximum number of characters of the expression that are shown. */
const maxShown = 32

/** A function was called with argument types that it does not have. */
const misfit = (name: string, types: ReadonlyArray<string>): string => {
  const given = types.filter((type) => type !== "")
  // CEL compares an int with a double, but does not add them, which surprises most people.
  const fix = given.includes("double") && given.includes("int") ? "; numbers of JSON are doubles: write 1.0 for 1" : ""
  return `${name.replace(/^_?@?([^_@]+)_?$/, "$1")} cannot be used with (${given.join(", ")})${fix}`
}

/** Messages of the library, and the texts that are logged in place of them. Its other texts can contain values. */
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

/** The position in the expression, and the problem. */
export const describe = (text: string, offset: number | undefined, error: CelError): string => {
  const why = reason(error.message)
  if (offset === undefined) return why
  const rest = text.slice(offset)
  const shown = rest.length > maxShown ? `${rest.slice(0, maxShown)}…` : rest
  return `at position ${offset + 1}, ${show(shown)}: ${why}`
}
