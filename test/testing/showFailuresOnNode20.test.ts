import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { mkdir, symlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { root } from "../node/support/builtProgram.ts"
import { temporaryDirectory } from "../node/support/scratch.ts"
import { Installed } from "../packaging/Installed.ts"
import { suites as componentSuites } from "../spin/blackbox/notApplicable.ts"

const vitest = join(root, "node_modules", "vitest", "vitest.mjs")

/** Runs vitest in `folder` on a Node that lacks `Map.groupBy`, as Node 20 does; returns its output. */
const runVitest = (folder: string, ...args: ReadonlyArray<string>) =>
  Effect.promise(() =>
    new Promise<{ readonly code: number; readonly output: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        ["--import", "data:text/javascript,delete Map.groupBy", vitest, "--run", ...args],
        { cwd: folder, env: { NO_COLOR: "1", CI: "true" }, timeout: 100_000 },
        (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, output: `${stdout}${stderr}` })
      )
    })
  )

const write = (folder: string, path: string, text: string) =>
  Effect.promise(async () => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  })

const assertReported = (
  { code, output }: { readonly code: number; readonly output: string },
  ...texts: Array<string>
) => {
  for (const text of texts) assert.include(output, text)
  assert.notInclude(output, "groupBy")
  assert.strictEqual(code, 1)
}

const failingTest = `
  import { expect, it } from "vitest"
  it("is one and one", () => expect(1 + 1).toBe("three"))
  it("is two", () => expect(1 + 1).toBe(2))
`

/** Every vitest configuration of this repository, with a path that it takes for a test. */
const configurations = [
  { config: "test/vitest.config.ts", project: "node", file: "test/failing.test.ts" },
  { config: "test/vitest.config.ts", project: "component", file: componentSuites[0] ?? "" },
  { config: "test/keycloak/vitest.config.ts", file: "test/keycloak/failing.suite.ts" },
  { config: "test/conformance/vitest.config.ts", file: "test/conformance/failing.suite.ts" },
  { config: "test/spin/wasmtime/vitest.config.ts", file: "test/spin/wasmtime/failing.suite.ts" }
]

describe("a failing test on Node 20", () => {
  for (const { config, file, project } of configurations) {
    it.live(`is shown, and counted in the last line, by ${config}${project === undefined ? "" : `, ${project}`}`, () =>
      Effect.gen(function*() {
        const folder = yield* temporaryDirectory
        yield* write(folder, file, failingTest)
        yield* Effect.promise(async () => {
          await symlink(join(root, "node_modules"), join(folder, "node_modules"))
          await mkdir(join(folder, "test"), { recursive: true })
          await symlink(join(root, "test/closingLine.ts"), join(folder, "test/closingLine.ts"))
        })
        // In place of what starts Keycloak.
        yield* write(folder, "test/keycloak/start.ts", "export default () => undefined")
        const selection = project === undefined ? [] : ["--project", project]
        const run = yield* runVitest(folder, "--config", join(root, config), "--root", ".", ...selection)
        assertReported(run, "is one and one", "expected 2 to be 'three'", "1 passed, 1 failed")
      }))
  }
})

layer(Installed.layer, { excludeTestServices: true, timeout: 240_000 })(
  "a conformance suite in a user's project",
  (it) => {
    const suite = `
    import { Context, Effect, Layer } from "effect"
    import { TokenVerifier } from "mcp-authorizer"
    import { TokenVerifierTest } from "mcp-authorizer/testing"
    const verifier = Layer.succeed(TokenVerifier, TokenVerifier.of({ verify: () => Effect.die("fails to work") }))
    TokenVerifierTest.suite("mine", verifier)
  `
    it.effect("shows which demand is not met, and why, on Node 20", () =>
      Effect.gen(function*() {
        const { project } = yield* Installed
        yield* write(project, "shown/mine.test.ts", suite)
        yield* write(
          project,
          "shown/vitest.config.ts",
          `
          import { showFailuresOnNode20 } from "mcp-authorizer/testing/showFailuresOnNode20"
          showFailuresOnNode20()
          export default {}
        `
        )
        const run = yield* runVitest(join(project, "shown"))
        assertReported(run, "FAIL", "JWT-01", "fails to work")
      }), 240_000)

    it.effect("would hide it without the call in the configuration", () =>
      Effect.gen(function*() {
        const { project } = yield* Installed
        yield* write(project, "hidden/failing.test.ts", failingTest)
        yield* write(project, "hidden/vitest.config.ts", "export default {}")
        const { code, output } = yield* runVitest(join(project, "hidden"))
        assert.include(output, "Map.groupBy is not a function")
        assert.notInclude(output, "expected 2 to be 'three'")
        assert.notStrictEqual(code, 0)
      }))
  }
)
