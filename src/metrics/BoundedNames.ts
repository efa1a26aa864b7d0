/** Stands for all names beyond a bound, and for texts that no name looks like. */
export const otherName = "other"

// MCP 2025-11-25, tool names: 1 to 128 of these characters. Longer ones do not fit a dashboard.
const plainName = /^[A-Za-z0-9_./-]{1,64}$/

/**
 * Names that callers choose, as values of a label: the first so many of them, and `other` for the rest.
 *
 * Names of the operator's are known from the start, so that no caller can displace them.
 */
export class BoundedNames {
  readonly #names: Set<string>
  readonly #most: number

  /** @param known names that are always shown */
  constructor(most: number, known: Iterable<string> = []) {
    this.#names = new Set([...known].filter((name) => plainName.test(name)))
    this.#most = most + this.#names.size
  }

  /**
   * The value of the label for a name.
   *
   * @param mayAdd whether a new name is shown from now on, as long as there is room: not for callers that were rejected
   */
  labelOf(name: string, mayAdd: boolean): string {
    if (this.#names.has(name)) return name
    if (!mayAdd || this.#names.size >= this.#most || !plainName.test(name)) return otherName
    this.#names.add(name)
    return name
  }
}
