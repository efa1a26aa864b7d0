import { defineConfig } from "vitest/config"
import { base } from "../../vitest.config.ts"
import { suitesInSpin } from "../blackbox/notApplicable.ts"
import { onComponent } from "../blackbox/project.ts"

/** For `../support/hostPrograms.ts`: the tests of the component run it in Spin. */
const inSpin = { COMPONENT_HOST: "spin" }

// Apart from the other tests, because they need `spin` on the PATH, or at `SPIN`.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    globalSetup: ["test/spin/runtime/start.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "applications",
          include: [
            "test/spin/runtime/*.suite.ts",
            ...["component", "parity", "sideBySide"].map((name) => `test/spin/${name}.test.ts`)
          ],
          env: inSpin,
          testTimeout: 180_000,
          hookTimeout: 600_000
        }
      },
      {
        ...onComponent,
        test: {
          ...onComponent.test,
          name: "component",
          include: [...suitesInSpin],
          env: inSpin,
          hookTimeout: 600_000
        }
      }
    ]
  }
})
