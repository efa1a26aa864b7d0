import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { showFailuresOnNode20 } from "../src/testing/showFailuresOnNode20.ts"
import { onComponent } from "./spin/blackbox/project.ts"

showFailuresOnNode20()

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url))

/** What all suites have in common. */
export const base = defineConfig({
  // Examples import the package as its users do; here that is the source, which the other tests import, too.
  resolve: {
    alias: [
      { find: /^mcp-authorizer$/, replacement: source("index.ts") },
      { find: /^mcp-authorizer\/node$/, replacement: source("node/NodeGateway.ts") },
      { find: /^mcp-authorizer\/testing$/, replacement: source("testing/index.ts") },
      { find: /^mcp-authorizer\/issuer$/, replacement: source("issuer/index.ts") },
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

const onNode = { extends: true as const, test: { name: "node", include: ["test/**/*.test.ts"] } }

// A run of a named file must not wait for the build of the component: that needs `--project component`.
const namesFile = process.argv.some((argument) => /\.test\.ts(?::\d+)?$/.test(argument))
const namesProject = process.argv.some((argument) => argument.startsWith("--project"))

export default defineConfig({
  ...base,
  test: { ...base.test, projects: namesFile && !namesProject ? [onNode] : [onNode, onComponent] }
})
