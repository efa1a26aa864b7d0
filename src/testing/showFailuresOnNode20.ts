const groupBy = <K, T>(items: Iterable<T>, key: (item: T, index: number) => K): Map<K, Array<T>> => {
  const groups = new Map<K, Array<T>>()
  let index = 0
  for (const item of items) {
    const k = key(item, index++)
    const group = groups.get(k)
    if (group === undefined) groups.set(k, [item])
    else group.push(item)
  }
  return groups
}

/**
 * Lets vitest 5 show why a test failed when it runs on Node 20.
 *
 * vitest 5 reports each failure by `Map.groupBy`, which Node 20 lacks: there the reporter itself fails, and hides what it
 * should show. Call this in the vitest configuration, because the reporter runs in the process that reads it, not in those
 * that run the tests. It does nothing where Node has the function.
 *
 * **Example** (`vitest.config.ts`)
 *
 * ```ts
 * import { showFailuresOnNode20 } from "mcp-authorizer/testing/showFailuresOnNode20"
 * import { defineConfig } from "vitest/config"
 *
 * showFailuresOnNode20()
 *
 * export default defineConfig({})
 * ```
 *
 * @see ECMAScript 2024, 24.1.2.1 (`Map.groupBy`)
 */
export const showFailuresOnNode20 = (): void => {
  if (!("groupBy" in Map)) {
    Object.defineProperty(Map, "groupBy", { value: groupBy, configurable: true, writable: true })
  }
}
