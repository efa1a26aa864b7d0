/**
 * The black-box suites of the service on Node, run on the component.
 *
 * The files are the same; two modules that they import are others: `support/gateway.ts`, which starts what is tested, and
 * `@effect/vitest`, which leaves out the tests that do not apply.
 */
import { fileURLToPath } from "node:url"
import type { TestProjectInlineConfiguration } from "vitest/config"
import { suites } from "./notApplicable.ts"

const nodeGateway = fileURLToPath(new URL("../../support/gateway.ts", import.meta.url))
const componentGateway = fileURLToPath(new URL("./gateway.ts", import.meta.url))
const effectVitest = fileURLToPath(new URL("./effectVitest.ts", import.meta.url))

/** A project next to that of the service on Node, for `test.projects` of vitest. */
export const onComponent: TestProjectInlineConfiguration = {
  extends: true,
  plugins: [{
    name: "mcp-authorizer:component",
    enforce: "pre",
    async resolveId(source, importer) {
      if (source === "@effect/vitest") return importer === effectVitest ? undefined : effectVitest
      if (!source.endsWith("/gateway.ts")) return undefined
      const resolved = await this.resolve(source, importer, { skipSelf: true })
      return resolved?.id === nodeGateway ? componentGateway : undefined
    }
  }],
  test: {
    name: "component",
    include: [...suites],
    // The first one waits until the component is built.
    testTimeout: 180_000,
    hookTimeout: 180_000
  }
}
