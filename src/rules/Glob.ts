/**
 * A pattern for names: `*` matches any run of characters, also an empty one; everything else matches itself.
 *
 * For each part of the pattern, matching takes time linear in the length of the name, for every name.
 */
export class Glob {
  /** As the operator wrote it. */
  readonly pattern: string
  private readonly first: string
  private readonly last: string
  private readonly middle: ReadonlyArray<string>
  private readonly isLiteral: boolean

  constructor(pattern: string) {
    const [first = "", ...rest] = pattern.split("*")
    this.pattern = pattern
    this.isLiteral = rest.length === 0
    this.first = first
    this.last = rest.at(-1) ?? ""
    this.middle = rest.slice(0, -1).filter((part) => part !== "")
  }

  matches(name: string): boolean {
    const { first, last } = this
    if (this.isLiteral) return name === first
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
    const end = name.length - last.length
    let at = first.length
    for (const part of this.middle) {
      const found = name.indexOf(part, at)
      if (found === -1 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }

  /** Whether it matches everything that the other one matches. */
  covers(other: Glob): boolean {
    // No part of this pattern holds a `*`, so that a `*` of the other one lies within one of these.
    return this.matches(other.pattern)
  }
}

export const matchesAny = (globs: ReadonlyArray<Glob>, name: string): boolean =>
  globs.some((glob) => glob.matches(name))
