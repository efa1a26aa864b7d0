import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { closeSync, constants, openSync, readSync } from "node:fs"
import { join } from "node:path"
import { makeWriteLine } from "../../src/node/logWriter.ts"
import { temporaryDirectory } from "./support/scratch.ts"

const waiting = 256 * 1024

/** A pipe that is read when the test reads it, and a log that is written to it. */
const setUp = Effect.gen(function*() {
  const path = join(yield* temporaryDirectory, "pipe")
  execFileSync("mkfifo", [path])
  const descriptor = yield* Effect.acquireRelease(
    Effect.sync(() => openSync(path, constants.O_RDWR | constants.O_NONBLOCK)),
    (descriptor) => Effect.sync(() => closeSync(descriptor))
  )
  const mistakes: Array<string> = []
  const writeLine = yield* makeWriteLine({
    isShared: true,
    descriptor,
    maxWaitingBytes: waiting,
    report: (text) => mistakes.push(text)
  })
  const buffer = Buffer.alloc(4096)
  let received = ""
  /** Reads up to 4 KiB. Returns whether anything was read. */
  const read = (): boolean => {
    try {
      const count = readSync(descriptor, buffer)
      received += buffer.toString("latin1", 0, count)
      return count > 0
    } catch {
      return false
    }
  }
  return { writeLine, mistakes, read, received: () => received }
})

const line = (index: number) => `${index} ${"a".repeat(200)}`

describe("writing lines", () => {
  it.live("reports a reader that is too slow once, and how many entries were lost once it has caught up", () =>
    Effect.gen(function*() {
      const { mistakes, read, received, writeLine } = yield* setUp
      let written = 0
      for (let round = 0; round < 60; round++) {
        for (let index = 0; index < 100; index++) writeLine(line(written++))
        read()
        yield* Effect.sleep(10)
      }
      assert.deepStrictEqual(mistakes, ["The log is read too slowly. Entries are dropped."])
      while (mistakes.length < 2) {
        if (!read()) yield* Effect.sleep(10)
      }
      while (read());
      const lines = received().split("\n").slice(0, -1)
      assert.deepStrictEqual(mistakes.slice(1), [
        `The log is written again; ${written - lines.length} entries were dropped.`
      ])
      // Each of those that were not lost is whole, and in order.
      const numbers = lines.map((text) => Number(text.split(" ")[0]))
      assert.deepStrictEqual(lines, numbers.map(line))
      assert.deepStrictEqual(numbers, numbers.toSorted((one, other) => one - other))
    }).pipe(Effect.scoped))

  it.live("loses nothing to a reader that keeps up", () =>
    Effect.gen(function*() {
      const { mistakes, read, received, writeLine } = yield* setUp
      for (let index = 0; index < 1000; index++) {
        writeLine(line(index))
        if (index % 50 === 49) {
          yield* Effect.sleep(12)
          while (read());
        }
      }
      while (received().split("\n").length <= 1000) {
        if (!read()) yield* Effect.sleep(10)
      }
      assert.deepStrictEqual(mistakes, [])
      assert.strictEqual(received(), Array.from({ length: 1000 }, (_, index) => `${line(index)}\n`).join(""))
    }).pipe(Effect.scoped))
})
