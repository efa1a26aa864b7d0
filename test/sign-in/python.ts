/** Clients in Python: the official SDK, and FastMCP. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { fetchPython } from "./programs.ts"
import type { Outcome, Program } from "./signsIn.ts"
import { signInAt, type Site } from "./Site.ts"

/** What a script prints: a URL for its user, that it has called a tool, and at its end the outcome. */
type Line = { readonly open: string } | { readonly called: true } | Omit<Outcome, "opened">

const { HOME, PATH } = process.env

/** Runs a script at a site. */
const runScript = (script: string, site: Site) =>
  Effect.promise(async (signal) => {
    const file = fileURLToPath(new URL(`python/${script}`, import.meta.url))
    const program = spawn(await fetchPython(), [file, site.gateway.resource], {
      env: { PATH, HOME, FASTMCP_SHOW_CLI_BANNER: "false" },
      signal
    })
    const ended = new Promise<void>((resolve) => program.once("close", () => resolve()))
    // It may have ended.
    program.stdin.on("error", () => undefined)
    let errors = ""
    program.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString("utf8")
    })
    const opened: Array<URL> = []
    let outcome: Omit<Outcome, "opened"> | undefined
    for await (const text of createInterface(program.stdout)) {
      const line: Line = JSON.parse(text)
      if ("open" in line) {
        opened.push(new URL(line.open))
        await Effect.runPromise(signInAt(line.open, site))
      } else if ("called" in line) {
        await Effect.runPromise(site.gateway.restart)
        program.stdin.write("\n")
      } else {
        outcome = line
      }
    }
    await ended
    if (outcome === undefined) throw new Error(`${script} ended without a result:\n${errors}\n${site.gateway.log()}`)
    return { opened, ...outcome }
  })

/** See `Program`. */
export const pythonSdk: Program = (site) => runScript("sdk.py", site)

/** See `Program`. */
export const fastmcp: Program = (site) => runScript("fastmcp_client.py", site)
