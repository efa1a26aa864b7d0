import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { eventually } from "../fixtures/eventually.ts"
import { root } from "../node/support/builtProgram.ts"
import { startProgram } from "../node/support/Program.ts"
import { temporaryDirectory } from "../node/support/scratch.ts"

const cache = join(root, "node_modules", ".cache", "mcp-authorizer-dev")

const runs = Effect.promise(() => readdir(cache).catch(() => []))

const main = `
import * as Option from "effect/Option"
import { word } from "./word.ts"

const alive = setInterval(() => {}, 1000)
process.once("SIGTERM", () => {
  console.log("ends with", Option.getOrElse(word, () => "nothing"))
  clearInterval(alive)
})
// Last, because the test may end the program as soon as it reads this.
console.log("begins with", Option.getOrElse(word, () => "nothing"))
`

const word = (text: string) => `
import * as Option from "effect/Option"

export const word: Option.Option<string> = Option.some("${text}")
`

describe("npm run dev", () => {
  it.live("restarts the program when a file changes, keeps it while that does not compile, and ends with it", () =>
    Effect.gen(function*() {
      const before = yield* runs
      const source = yield* temporaryDirectory
      const write = (name: string, text: string) => Effect.promise(() => writeFile(join(source, name), text))
      yield* write("main.ts", main)
      yield* write("word.ts", word("one"))
      const dev = yield* startProgram({
        script: join(root, "src", "build", "node", "dev.mjs"),
        args: [join(source, "main.ts")],
        cwd: root
      })
      yield* dev.awaitOutput(/begins with one/)

      yield* write("word.ts", word("two"))
      yield* dev.awaitOutput(/ends with one\nbegins with two/)

      yield* write("word.ts", "export const word = ")
      yield* eventually(() => dev.stderr().includes("Unexpected end of file"))
      assert.notInclude(dev.stdout(), "ends with two")
      yield* write("word.ts", word("three"))
      yield* dev.awaitOutput(/ends with two\nbegins with three/)

      yield* dev.signal("SIGINT")
      const { stdout } = yield* dev.ended
      assert.match(stdout, /ends with three\n$/)
      assert.deepStrictEqual(yield* runs, before)
    }))
})
