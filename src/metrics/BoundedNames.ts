/** The label for all names beyond the limit, and for texts that do not look like names. */
export const otherName = "other"

// Tool names have 1 to 128 of these characters (MCP 2025-11-25). Longer ones do not fit on a dashboard.
const plainName = /^[A-Za-z0-9_./-]{1,64}$/

/**
 * Names that callers choose, as values of a label: the first ones up to a limit, and `other` for the rest.
 *
 * Names from the settings are always shown, so that no caller can displace them.
 */
export class BoundedNames {
  readonly #known: ReadonlySet<string>
  readonly #seen: Set<string>
  readonly #max: number

  /**
   * @param max how many names are shown in addition to the known ones
   * @param known names that are always shown
   * @param seen names that were shown before
   */
  constructor(max: number, known: Iterable<string>, seen: Set<string>) {
    this.#known = new Set([...known].filter((name) => plainName.test(name)))
    this.#seen = seen
    this.#max = max
  }

  /**
   * The value of the label for a name.
   *
   * @param mayAdd whether a new name may be shown from now on, if there is room. Not for callers that were rejected
   */
  labelOf(name: string, mayAdd: boolean): string {
    if (this.#known.has(name) || this.#seen.has(name)) return name
    if (!mayAdd || this.#seen.size >= this.#max || !plainName.test(name)) return otherName
    this.#seen.add(name)
    return name
  }
}
