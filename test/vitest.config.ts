import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { onComponent } from "./spin/blackbox/project.ts"

// vitest's failure report calls Map.groupBy, which Node 20 lacks.
Map.groupBy ??= <K, T>(items: Iterable<T>, key: (item: T, index: number) => K) => {
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

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url))

/** What all suites have in common. */
export const base = defineConfig({
  // Examples import the package as its users do; here that is the source, which the other tests import, too.
  resolve: {
    alias: [
      { find: /^mcp-authorizer$/, replacement: source("index.ts") },
      { find: /^mcp-authorizer\/node$/, replacement: source("node/NodeGateway.ts") },
      { find: /^mcp-authorizer\/testing$/, replacement: source("testing/index.ts") },
      { find: /^mcp-authorizer\/(.*)$/, replacement: `${source("")}$1.ts` }
    ]
  },
  test: {
    reporters: ["default", "./test/closingLine.ts"],
    // A run on a busy machine must not fail for slowness.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2
  }
})

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    projects: [{ extends: true, test: { name: "node", include: ["test/**/*.test.ts"] } }, onComponent]
  }
})
