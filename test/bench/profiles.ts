/** The summary of a run's CPU profiles. */
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { type CpuProfile, hottest } from "./report/hottest.ts"
import { table } from "./report/tables.ts"

const framesShown = 25

/** The hottest functions of each profile in a directory, as tables. */
export const describeProfiles = async (directory: string): Promise<ReadonlyArray<string>> =>
  Promise.all(
    (await readdir(directory)).filter((name) => name.endsWith(".cpuprofile")).map(async (name) => {
      // Written by Node.
      const profile = JSON.parse(await readFile(join(directory, name), "utf8")) as CpuProfile
      const frames = hottest(profile, framesShown)
      const lines = frames.map(({ millis, name, share }) => [`${(share * 100).toFixed(1)} %`, millis.toFixed(0), name])
      return `${name}\n${table(["Self", "ms", "Function"], lines)}`
    })
  )
