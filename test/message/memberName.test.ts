import { assert, describe, it } from "@effect/vitest"
import { knownName, matchName } from "../../src/message/json/memberName.ts"
import { JsonScanner } from "../../src/message/json/scanJson.ts"

const match = (name: string, wanted: string) => {
  const bytes = new TextEncoder().encode(`{${name}:0}`)
  const scanner = new JsonScanner(bytes, 1)
  scanner.next()
  assert.strictEqual(scanner.next(), "Name")
  return matchName(bytes, scanner, knownName(wanted))
}

describe("matchName", () => {
  it("FWD-12 distinguishes the name from its variants and from others", () => {
    assert.strictEqual(match(`"serverInfo"`, "serverInfo"), "Exact")
    assert.strictEqual(match(`"server\\u0049nfo"`, "serverInfo"), "Exact")
    assert.strictEqual(match(`"serverinfo"`, "serverInfo"), "Variant")
    assert.strictEqual(match(`"\\u017FerverInfo"`, "serverInfo"), "Variant")
    assert.strictEqual(match(`"serverInfos"`, "serverInfo"), "None")
    assert.strictEqual(match(`"server\\\\u0049nfo"`, "serverInfo"), "None")
    assert.strictEqual(match(`""`, "serverInfo"), "None")
    assert.strictEqual(match(`"_"`, "_"), "Exact")
    assert.strictEqual(match(`"\u007f"`, "_"), "None")
  })

  it("FWD-12 knows every character that any casing turns into an ASCII letter", () => {
    let variants = 0
    for (let codePoint = 0x80; codePoint <= 0x10ffff; codePoint++) {
      if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue
      const character = String.fromCodePoint(codePoint)
      // The first character of a casing, since some parsers case each by itself (İ becomes i and a dot).
      const cased = [character.toLowerCase(), character.toUpperCase().toLowerCase()]
        .map((text) => text.replace(/\u0307$/u, ""))
        .find((text) => /^[a-z]$/u.test(text))
      if (cased === undefined) {
        if (codePoint < 0x10000) {
          for (const letter of "iks") assert.strictEqual(match(`"${character}"`, letter), "None")
        }
        continue
      }
      variants++
      const escaped = `"${
        [...character].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")
      }"`
      assert.strictEqual(match(`"${character}"`, cased), "Variant", character)
      assert.strictEqual(match(escaped, cased), "Variant", character)
    }
    assert.strictEqual(variants, 4)
  })
})
