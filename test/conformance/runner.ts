/** Runs the official `@modelcontextprotocol/conformance` against a server. */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The results of the runner. */
export interface Verdicts {
  /** The lines of its summary as printed: one for each scenario, and the total. */
  readonly summary: ReadonlyArray<string>
  /** Each check in the order in which it was made: scenario, check, status. */
  readonly checks: ReadonlyArray<string>
}

interface Check {
  readonly id: string
  readonly status: string
}

// Both versions need a Node with `fs.globSync`, regardless of the Node that runs the gateway.
const npx = (version: string) => {
  const packages = ["node@24", `@modelcontextprotocol/conformance@${version}`]
  return ["--yes", "--prefer-offline", ...packages.map((name) => `--package=${name}`), "--", "conformance"]
}

const print = (version: string, args: ReadonlyArray<string>, cwd: string, signal: AbortSignal) =>
  new Promise<string>((resolve, reject) => {
    // The exit code shows whether all checks passed, which is asserted below; without a summary nothing ran.
    execFile("npx", [...npx(version), ...args], { cwd, signal, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      if (stdout.includes("\nTotal: ")) resolve(stdout)
      else reject(new Error(`the conformance runner did not run: ${stderr}`, { cause: error }))
    })
  })

const isSummary = (line: string): boolean => /^(?:[✓✗] |Total: )/.test(line)

/** The checks of one scenario, from the directory whose name is the scenario and the time at which it ended. */
const readChecks = async (directory: string, scenario: string): Promise<ReadonlyArray<string>> => {
  const name = (await readdir(directory)).find((name) => name.startsWith(`server-${scenario}-20`)) ?? ""
  // Written by the runner: an array of its checks.
  const checks = JSON.parse(await readFile(join(directory, name, "checks.json"), "utf8")) as ReadonlyArray<Check>
  return checks.flatMap(({ id, status }) => status === "INFO" ? [] : [`${scenario} ${id} ${status}`])
}

/**
 * Runs a version of the runner's server scenarios against `url`, which must be a loopback one.
 *
 * @param selection the runner's options that choose scenarios
 */
export const conformance = (version: string, url: string, selection: ReadonlyArray<string>): Effect.Effect<Verdicts> =>
  Effect.promise(async (signal) => {
    const directory = await mkdtemp(join(tmpdir(), "conformance-"))
    try {
      const output = await print(version, ["server", "--url", url, "-o", directory, ...selection], tmpdir(), signal)
      const summary = output.slice(output.indexOf("=== SUMMARY ===")).split("\n").filter(isSummary)
      const scenarios = summary.flatMap((line) => /^[✓✗] (\S+): /.exec(line)?.[1] ?? [])
      const checks = await Promise.all(scenarios.map((scenario) => readChecks(directory, scenario)))
      return { summary, checks: checks.flat() }
    } finally {
      await rm(directory, { recursive: true })
    }
  })
