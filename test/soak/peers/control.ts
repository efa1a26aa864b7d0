/**
 * Loaded into the gateway's process before the gateway itself, so that the soak can look at its heap and step its clock.
 *
 * On SIGUSR2 it reads one command from the file that `SOAK_COMMAND_FILE` names and replaces the file by what it measured.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs"
import { env } from "node:process"

/** What the soak asks of the gateway's process. */
export type Command =
  /** Collect garbage, then measure. */
  | { readonly _tag: "Measure" }
  /** Move the wall clock by so many milliseconds, as an administrator or NTP would. */
  | { readonly _tag: "StepClock"; readonly millis: number }

/** What the process measured after the command; bytes. */
export interface Measured {
  readonly heapUsed: number
  readonly external: number
  readonly rss: number
}

const file = env["SOAK_COMMAND_FILE"]

if (file !== undefined) {
  const now = Date.now
  let offset = 0
  Date.now = () => now.call(Date) + offset

  process.on("SIGUSR2", () => {
    // The soak wrote it.
    const command = JSON.parse(readFileSync(file, "utf8")) as Command
    if (command._tag === "StepClock") offset += command.millis
    // Twice: the first collection runs finalizers that free more.
    globalThis.gc?.()
    globalThis.gc?.()
    const { external, heapUsed, rss } = process.memoryUsage()
    const measured: Measured = { external, heapUsed, rss }
    writeFileSync(`${file}.partial`, JSON.stringify(measured))
    renameSync(`${file}.partial`, `${file}.measured`)
  })
}
