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
 * Makes vitest 5 report why a test failed on Node 20.
 *
 * vitest 5 uses `Map.groupBy` to report a failure, which Node 20 lacks: the reporter itself then fails, and hides the
 * reason. Call this function in the vitest configuration, because the reporter runs in the process that reads it, not in
 * the processes that run the tests. It does nothing on newer versions of Node.
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
