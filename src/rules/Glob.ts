/**
 * A pattern for names: `*` matches any run of characters, even an empty one; every other character matches itself.
 *
 * For each part of the pattern, matching takes time linear in the length of the name.
 */
export class Glob {
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

  /** Returns whether it matches everything that the other pattern matches. */
  covers(other: Glob): boolean {
    // The fixed parts of this pattern contain no `*`, so each `*` of the other pattern lies within a `*` of this one.
    return this.matches(other.pattern)
  }
}

export const matchesAny = (globs: ReadonlyArray<Glob>, name: string): boolean =>
  globs.some((glob) => glob.matches(name))
