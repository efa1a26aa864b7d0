import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { join } from "node:path"
import { AppendedFile, type FileCalls, openForAppending } from "../../../src/node/audit/AppendedFile.ts"
import { eventually } from "../../fixtures/eventually.ts"
import { temporaryDirectory } from "../support/scratch.ts"

/** A file in a directory of its own, and what is reported about it. */
const setUp = Effect.fnUntraced(function*(calls: Partial<FileCalls> = {}, maxWaitingBytes = 64 * 1024) {
  const directory = join(yield* temporaryDirectory, "audit")
  Fs.mkdirSync(directory)
  const path = join(directory, "audit.log")
  const reports: Array<string> = []
  const counts = { written: 0, dropped: 0 }
  const file = new AppendedFile({
    path,
    maxWaitingBytes,
    calls: { ...Fs, ...calls },
    reports: {
      failed: (code) => reports.push(`failed ${code}`),
      recovered: (dropped) => reports.push(`recovered ${dropped}`),
      written: (lines) => {
        counts.written += lines
      },
      dropped: (lines) => {
        counts.dropped += lines
      }
    }
  }, openForAppending(path))
  yield* Effect.addFinalizer(() => Effect.promise(() => file.close(1_000)))
  return { counts, directory, file, path, reports, text: (name = path) => Fs.readFileSync(name, "utf8") }
})

const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`)

const full = Object.assign(new Error("no space"), { code: "ENOSPC" })

describe("a file that lines are appended to", () => {
  it.live("has all lines in order once it is closed, behind those that were there", () =>
    Effect.gen(function*() {
      const { counts, file, path, reports, text } = yield* setUp()
      Fs.writeFileSync(path, "before\n")
      for (const line of lines(0, 1_000)) file.append(line)
      assert.strictEqual(yield* Effect.promise(() => file.close(1_000)), 0)
      assert.strictEqual(text(), ["before", ...lines(0, 1_000), ""].join("\n"))
      assert.deepStrictEqual([counts, reports], [{ written: 1_000, dropped: 0 }, []])
    }).pipe(Effect.scoped))

  it.live("is written by calls of whole lines", () =>
    Effect.gen(function*() {
      const pieces: Array<string> = []
      const write = ((descriptor: number, bytes: Buffer, ...rest: [number, number, null, never]) => {
        pieces.push(bytes.toString())
        Fs.write(descriptor, bytes, ...rest)
      }) as unknown as typeof Fs.write
      const { file } = yield* setUp({ write }, 2 ** 20)
      const long = "x".repeat(1_000)
      for (let index = 0; index < 300; index++) file.append(long)
      yield* Effect.promise(() => file.close(1_000))
      assert.isAbove(pieces.length, 1)
      assert.isBelow(pieces.length, 10)
      for (const piece of pieces) assert.match(piece, /^(x{1000}\n)+$/)
    }).pipe(Effect.scoped))

  it.live("goes on under its name when it was renamed and is reopened, and loses nothing", () =>
    Effect.gen(function*() {
      const { file, path, text } = yield* setUp()
      for (const line of lines(0, 10)) file.append(line)
      yield* eventually(() => text().includes("line 9"))
      Fs.renameSync(path, `${path}.1`)
      for (const line of lines(10, 20)) file.append(line)
      yield* eventually(() => text(`${path}.1`).includes("line 19"))
      assert.isFalse(Fs.existsSync(path))
      file.append("line 20")
      file.reopen()
      file.append("line 21")
      yield* eventually(() => Fs.existsSync(path) && text().includes("line 21"))
      assert.strictEqual(text(`${path}.1`) + text(), [...lines(0, 22), ""].join("\n"))
    }).pipe(Effect.scoped))

  it.live("is created again after it was deleted, with what was written in between", () =>
    Effect.gen(function*() {
      const { counts, file, path, reports, text } = yield* setUp()
      file.append("line 0")
      // Not when it is in the file: until it counts as written, it would be written into the new one, too.
      yield* eventually(() => counts.written === 1)
      Fs.unlinkSync(path)
      file.append("line 1")
      yield* eventually(() => Fs.existsSync(path) && text() === "line 1\n")
      assert.deepStrictEqual(reports, [])
    }).pipe(Effect.scoped))

  it.live("keeps lines while its directory is gone, and says so once", () =>
    Effect.gen(function*() {
      const { counts, directory, file, path, reports, text } = yield* setUp()
      Fs.rmSync(directory, { recursive: true })
      for (const line of lines(0, 5)) file.append(line)
      yield* eventually(() => reports.length > 0)
      file.reopen()
      for (const line of lines(5, 10)) file.append(line)
      Fs.mkdirSync(directory)
      yield* eventually(() => Fs.existsSync(path) && text() === [...lines(0, 10), ""].join("\n"))
      yield* eventually(() => reports.length > 1)
      assert.deepStrictEqual(reports, ["failed ENOENT", "recovered 0"])
      assert.deepStrictEqual(counts, { written: 10, dropped: 0 })
    }).pipe(Effect.scoped))

  it.live("drops lines that there is no room for while the disk is full, and says how many", () =>
    Effect.gen(function*() {
      let isFull = true
      const write = ((descriptor: number, bytes: Buffer, from: number, length: number, at: null, done: never) => {
        const give = done as (error: Error | null, written: number) => void
        if (isFull) give(full, 0)
        else Fs.write(descriptor, bytes, from, length, at, give)
      }) as unknown as typeof Fs.write
      const { counts, file, reports, text } = yield* setUp({ write }, 70)
      for (const line of lines(0, 20)) file.append(line)
      yield* eventually(() => reports.length > 0)
      isFull = false
      yield* eventually(() => reports.length > 1)
      assert.deepStrictEqual(reports, ["failed ENOSPC", "recovered 10"])
      assert.strictEqual(text(), [...lines(0, 10), ""].join("\n"))
      file.append("line 20")
      yield* eventually(() => counts.written === 11)
      assert.isTrue(text().endsWith("line 20\n"))
      assert.strictEqual(counts.dropped, 10)
    }).pipe(Effect.scoped))

  it.live("has every line whole, where a disk that was full has taken a part of one", () =>
    Effect.gen(function*() {
      let left = 17
      const write = ((descriptor: number, bytes: Buffer, from: number, length: number, at: null, done: never) => {
        const give = done as (error: Error | null, written: number) => void
        const part = Math.min(left, length)
        left = part < length ? 1_000 : left
        Fs.write(descriptor, bytes, from, part, at, give)
      }) as unknown as typeof Fs.write
      const { counts, file, reports, text } = yield* setUp({ write })
      for (const line of lines(0, 5)) file.append(line)
      yield* eventually(() => reports.length > 1)
      assert.deepStrictEqual(reports, ["failed ENOSPC", "recovered 0"])
      assert.strictEqual(text(), ["line 0", "line 1", "lin", "line 2", "line 3", "line 4", ""].join("\n"))
      assert.strictEqual(counts.written, 5)
    }).pipe(Effect.scoped))

  it.live("gives the number of lines that are lost when it is closed while it cannot be written", () =>
    Effect.gen(function*() {
      const { directory, file } = yield* setUp()
      Fs.rmSync(directory, { recursive: true })
      for (const line of lines(0, 5)) file.append(line)
      assert.strictEqual(yield* Effect.promise(() => file.close(1_000)), 5)
    }).pipe(Effect.scoped))

  it.live("has what waited when the process ends at once", () =>
    Effect.gen(function*() {
      const { file, text } = yield* setUp()
      for (const line of lines(0, 5)) file.append(line)
      file.flushNow()
      assert.strictEqual(text(), [...lines(0, 5), ""].join("\n"))
    }).pipe(Effect.scoped))
})
