import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { providerReference, settingsReference } from "../src/config/reference.ts"
import { policyReference } from "../src/keys/cryptoPolicy.ts"
import { version } from "../src/version.ts"

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8")
const manifest: { version: string; scripts: Record<string, string> } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8")
)

describe("README", () => {
  it("has the settings and the fields of a provider as the code has them", () => {
    assert.include(readme, settingsReference().trim())
    assert.include(readme, providerReference().trim())
  })

  it("has the crypto policy as the code has it", () => {
    assert.include(readme, policyReference())
  })

  it("names only scripts that exist", () => {
    const named = [...readme.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name ?? "")
    assert.isAbove(named.length, 0)
    for (const name of named) assert.property(manifest.scripts, name)
  })
})

describe("version", () => {
  it("is the one of the package", () => {
    assert.strictEqual(version, manifest.version)
  })
})
