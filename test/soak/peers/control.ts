/**
 * Loaded into each process of the gateway before the gateway itself, so that the soak can read its heap, step its clock and
 * use up its memory.
 *
 * On SIGUSR2 a process reads one command from the file that `SOAK_COMMAND_FILE` names, followed by its process id, and
 * writes the measurements next to it.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs"
import { env } from "node:process"

/** The commands of the soak for a process of the gateway. */
export type Command =
  /** Collect garbage, then measure. */
  | { readonly _tag: "Measure" }
  /** Move the wall clock by so many milliseconds, as an administrator or NTP would. */
  | { readonly _tag: "StepClock"; readonly millis: number }
  /** Allocate until V8 has no memory left, which ends the process; nothing is measured. */
  | { readonly _tag: "RunOutOfMemory" }

/** The measurements of the process after the command, in bytes. */
export interface Measured {
  readonly heapUsed: number
  readonly external: number
  readonly rss: number
}

const sweepMillis = 200

const path = env["SOAK_COMMAND_FILE"]

if (path !== undefined) {
  // Workers inherit the variable; each has a file of its own.
  const file = `${path}-${process.pid}`
  const now = Date.now
  let offset = 0
  Date.now = () => now.call(Date) + offset

  process.on("SIGUSR2", () => {
    // The soak wrote it.
    const command = JSON.parse(readFileSync(file, "utf8")) as Command
    if (command._tag === "StepClock") offset += command.millis
    if (command._tag === "RunOutOfMemory") {
      const kept: Array<ReadonlyArray<object>> = []
      while (true) kept.push(Array.from({ length: 10_000 }, () => ({})))
    }
    // The first collection runs finalizers, which free more, and buffers are freed a little after their collection.
    globalThis.gc?.()
    setTimeout(() => {
      globalThis.gc?.()
      setTimeout(() => {
        const { external, heapUsed, rss } = process.memoryUsage()
        const measured: Measured = { external, heapUsed, rss }
        writeFileSync(`${file}.partial`, JSON.stringify(measured))
        renameSync(`${file}.partial`, `${file}.measured`)
      }, sweepMillis)
    }, sweepMillis)
  })
}
