/** Scopes that include other scopes. */

/**
 * The scopes that other scopes include (`MCP_SCOPE_IMPLIES`), so that a token with `admin` need not list `write` and `read`.
 *
 * The relation is transitive. It has no cycles, because `cycleIn` has rejected them.
 */
export class ScopeHierarchy {
  /** A hierarchy without entries: no scope includes another. */
  static readonly none = new ScopeHierarchy({})

  /** What the operator has configured: the scopes that each scope includes directly. */
  readonly implies: Readonly<Record<string, ReadonlyArray<string>>>
  /** For each scope, all scopes that include it, directly and indirectly. */
  private readonly includedIn = new Map<string, Set<string>>()

  constructor(implies: Readonly<Record<string, ReadonlyArray<string>>>) {
    this.implies = implies
    const direct = new Map(Object.entries(implies))
    for (const scope of direct.keys()) {
      const open = [...direct.get(scope) ?? []]
      const seen = new Set<string>()
      for (let included = open.pop(); included !== undefined; included = open.pop()) {
        if (seen.has(included)) continue
        seen.add(included)
        const larger = this.includedIn.get(included)
        if (larger === undefined) this.includedIn.set(included, new Set([scope]))
        else larger.add(scope)
        open.push(...direct.get(included) ?? [])
      }
    }
  }

  /** Returns whether a token with these scopes has the given scope: directly, or by a scope that includes it. */
  has(granted: ReadonlyArray<string>, scope: string): boolean {
    if (granted.includes(scope)) return true
    const larger = this.includedIn.get(scope)
    return larger !== undefined && granted.some((one) => larger.has(one))
  }
}

/**
 * Returns the scopes of a cycle, in which each includes the next and the last includes the first; `undefined` without
 * a cycle.
 */
export const cycleIn = (
  implies: Readonly<Record<string, ReadonlyArray<string>>>
): ReadonlyArray<string> | undefined => {
  const direct = new Map(Object.entries(implies))
  const done = new Set<string>()
  for (const start of direct.keys()) {
    // A depth-first search without recursion. Each position of the path has its scope, and the scopes left to visit
    // from there.
    const path: Array<{ readonly scope: string; readonly rest: Array<string> }> = []
    const enter = (scope: string) => path.push({ scope, rest: [...direct.get(scope) ?? []] })
    if (!done.has(start)) enter(start)
    for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
      const next = last.rest.pop()
      if (next === undefined) {
        done.add(last.scope)
        path.pop()
        continue
      }
      const at = path.findIndex(({ scope }) => scope === next)
      if (at !== -1) return path.slice(at).map(({ scope }) => scope)
      if (!done.has(next)) enter(next)
    }
  }
  return undefined
}
