/** The functions that took the most time, by a CPU profile. */

/** The parts of the format of `node --cpu-prof` that are used. */
export interface CpuProfile {
  readonly nodes: ReadonlyArray<{
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }>
  readonly samples: ReadonlyArray<number>
  /** Microseconds since the sample before. */
  readonly timeDeltas: ReadonlyArray<number>
}

export interface Frame {
  readonly name: string
  /** Relative to the counted time. */
  readonly share: number
  readonly millis: number
}

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, one) => total + one, 0)

/** `file:line` without what is the same for all: the folders up to the package, and those of the build. */
const place = (url: string, line: number): string =>
  url === "" ? "" : ` ${url.replace(/^.*\/(?:node_modules|dist)\//, "").replace("file://", "")}:${line + 1}`

/**
 * The functions that took most time themselves, most first.
 *
 * Counts the second half of the time in which the process was busy: the first holds its start, and code that was not
 * compiled yet.
 */
export const hottest = (profile: CpuProfile, count: number): ReadonlyArray<Frame> => {
  const nameOf = new Map(profile.nodes.map(({ callFrame, id }) => {
    const { functionName, lineNumber, url } = callFrame
    return [id, `${functionName === "" ? "(anonymous)" : functionName}${place(url, lineNumber)}`]
  }))
  const busy = profile.samples.flatMap((id, index) => {
    const name = nameOf.get(id) ?? "(unknown)"
    return name === "(idle)" ? [] : [{ name, time: profile.timeDeltas[index] ?? 0 }]
  })
  const half = sum(busy.map(({ time }) => time)) / 2
  const micros = new Map<string, number>()
  let passed = 0
  for (const { name, time } of busy) {
    passed += time
    if (passed > half) micros.set(name, (micros.get(name) ?? 0) + time)
  }
  const total = sum(Array.from(micros.values()))
  return Array.from(micros, ([name, time]) => ({ name, share: time / total, millis: time / 1000 }))
    .toSorted((a, b) => b.millis - a.millis)
    .slice(0, count)
}
