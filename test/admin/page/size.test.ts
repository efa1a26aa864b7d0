import { assert, describe, it } from "@effect/vitest"
import { build } from "esbuild"
import { fileURLToPath } from "node:url"
import { assets } from "../../../src/admin/page/assets.ts"
import { readFilter } from "../../../src/admin/page/decisions.ts"
import { page } from "../../../src/admin/page/page.ts"
import { entries, standIn } from "./standIn.ts"

const entryPoint = fileURLToPath(new URL("../../../src/admin/page/pageRoutes.ts", import.meta.url))

describe("the size of the page", () => {
  it("MUST stay below 60 KB in the program, next to the 16 KB of advice", async () => {
    const { metafile } = await build({
      entryPoints: [entryPoint],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      external: ["effect/*"],
      minifyWhitespace: true,
      minifySyntax: true,
      metafile: true,
      logLevel: "silent"
    })
    const inputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs))
    const sizeOf = (pattern: RegExp) =>
      inputs.filter(([path]) => pattern.test(path)).reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0)
    assert.isBelow(sizeOf(/src\/admin\/page\//), 60 * 1024)
    assert.isBelow(sizeOf(/src\/admin\/(?:advice|rejections)/), 16 * 1024)
    assert.isAbove(sizeOf(/src\/admin\/page\//), 10 * 1024)
  })

  it("MUST stay below 600 KB on the wire with 200 decisions, and load three small files", () => {
    const whole = String(
      page({ status: standIn({ troubled: true }), entries, filter: readFilter(new URLSearchParams()) })
    )
    assert.isBelow(Buffer.byteLength(whole), 600 * 1024)
    for (const [path, { body }] of Object.entries(assets)) assert.isBelow(Buffer.byteLength(body), 20 * 1024, path)
  })
})
