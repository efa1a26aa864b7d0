import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../node/support/builtProgram.ts"
import { temporaryDirectory } from "../node/support/scratch.ts"
import { sh } from "../node/support/shell.ts"
import { manifest } from "./Installed.ts"
import { type LockFile, missingEntries } from "./missingEntries.ts"

const text = readFileSync(join(root, "package-lock.json"), "utf8")
const lock: LockFile = JSON.parse(text)
const installed = Object.entries(lock.packages).filter(([path]) => path !== "")

describe("the lock file", () => {
  it("has an entry for every package that another one names, of every platform", () => {
    assert.deepStrictEqual(missingEntries(lock), [])
  })

  it("is found incomplete where the entry of one platform is missing", () => {
    const { "node_modules/@effect/tsgo-darwin-arm64": removed, ...packages } = lock.packages
    assert.isDefined(removed)
    assert.deepStrictEqual(missingEntries({ packages }), ["node_modules/@effect/tsgo: @effect/tsgo-darwin-arm64"])
  })

  it("has the dependencies of the manifest", () => {
    for (const kind of ["dependencies", "devDependencies", "peerDependencies"] as const) {
      assert.deepStrictEqual(lock.packages[""]?.[kind], manifest[kind], kind)
    }
  })

  it("has what proves a download, for all but tools of foreign platforms", () => {
    const unproven = installed.filter(([, entry]) => entry.integrity === undefined)
    for (const [path, entry] of unproven) {
      assert.isTrue(entry.optional === true && entry.dev === true && entry.os !== undefined, path)
    }
  })

  it("has no fields that one version of npm writes and another removes", () => {
    // npm 10 removes `libc`, and npm 11 does not miss it.
    assert.deepStrictEqual(installed.filter(([, entry]) => entry.libc !== undefined).map(([path]) => path), [])
  })

  it.live("is taken by `npm ci`, and left as it is", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const printed = yield* sh(`
        cp '${root}'package.json '${root}'package-lock.json '${folder}'
        cd '${folder}'
        npm ci --dry-run --offline --cache empty --ignore-scripts 2>&1
      `)
      assert.match(printed, /^added \d+ packages/m)
      assert.strictEqual(readFileSync(join(folder, "package-lock.json"), "utf8"), text)
    }))
})
