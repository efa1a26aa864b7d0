/** Represents all names beyond a bound, and texts that do not look like names. */
export const otherName = "other"

// MCP 2025-11-25, tool names: 1 to 128 of these characters. Longer ones do not fit a dashboard.
const plainName = /^[A-Za-z0-9_./-]{1,64}$/

/**
 * Names that callers choose, as values of a label: the first so many of them, and `other` for the rest.
 *
 * Names of the operator's are always shown, so that no caller can displace them.
 */
export class BoundedNames {
  readonly #known: ReadonlySet<string>
  readonly #seen: Set<string>
  readonly #most: number

  /**
   * @param most how many names are shown in addition to the known ones
   * @param known names that are always shown
   * @param seen names that were shown before
   */
  constructor(most: number, known: Iterable<string>, seen: Set<string>) {
    this.#known = new Set([...known].filter((name) => plainName.test(name)))
    this.#seen = seen
    this.#most = most
  }

  /**
   * The value of the label for a name.
   *
   * @param mayAdd whether a new name is shown from now on, as long as there is room: not for callers that were rejected
   */
  labelOf(name: string, mayAdd: boolean): string {
    if (this.#known.has(name) || this.#seen.has(name)) return name
    if (!mayAdd || this.#seen.size >= this.#most || !plainName.test(name)) return otherName
    this.#seen.add(name)
    return name
  }
}
