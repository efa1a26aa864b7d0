import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { consentPage, errorPage, onwardPage, pageStyle, shownLine } from "../../src/facade/pages.ts"
import { preferredLanguage } from "../../src/facade/texts.ts"
import { styleDigest } from "../../src/http/facade.ts"
import { root } from "../node/support/builtProgram.ts"

const consent = {
  action: "https://gateway.example/authorize/consent",
  sealed: "sealed",
  resource: "https://gateway.example/mcp",
  host: "client.example",
  redirectUri: "https://client.example/callback",
  client: undefined,
  scopes: []
}

describe("the pages of the facade", () => {
  it("have only the style that their policy allows", () => {
    assert.strictEqual(createHash("sha256").update(pageStyle).digest("base64"), styleDigest)
    assert.strictEqual(consentPage("en", consent).split("<style>").length, 2)
  })

  it("show what others wrote as text, in one short line without characters that reorder or hide it", () => {
    const name = `"><script>alert(1)</script>\u202e\u0000\r\nSet-Cookie: a=b${"x".repeat(200)}`
    const page = consentPage("en", { ...consent, client: { id: "https://c.example/<b>", name } })
    for (const text of ["<script", "<b>", "\u202e", "\u0000", "\r"]) assert.notInclude(page, text)
    assert.include(page, "&quot;&gt;&lt;script&gt;")
    assert.isAtMost(shownLine(name).length, 81)
    assert.notInclude(errorPage("en", "<i>"), "<i>")
    assert.include(onwardPage("en", "https://a.example/?x=\"&y"), "https://a.example/?x=&quot;&amp;y")
  })

  it("show the whole host of a client's document, and all permissions, however long", () => {
    const host = `claude.ai.${"a".repeat(60)}.${"b".repeat(60)}.evil.example`
    const scopes = [...Array.from({ length: 12 }, (_, index) => `notes:read:${index}`), `${"x".repeat(120)}:delete`]
    const client = { id: `https://${host}/${"p".repeat(300)}`, name: undefined }
    const page = consentPage("en", { ...consent, client, scopes })
    assert.include(page, `https://${host}/`)
    assert.notInclude(page, "p".repeat(100))
    for (const scope of scopes) assert.include(page, `<dd>${scope}</dd>`)
  })

  it("are in German for users that prefer it, else in English", () => {
    for (const field of ["de", "de-AT,en;q=0.5", "fr, de;q=0.3", "en;q=0.2, DE;q=0.9"]) {
      assert.strictEqual(preferredLanguage(field), "de", field)
    }
    for (const field of [undefined, "", "en", "en, de", "fr", "de;q=0", "de;q=x", "dex"]) {
      assert.strictEqual(preferredLanguage(field), "en", field)
    }
    assert.include(consentPage("de", consent), "Zugriff erlauben?")
    assert.include(consentPage("de", consent), "<html lang=\"de\">")
  })
})

const read = (path: string) => readFileSync(join(root, path), "utf8")

describe("the threats of the README", () => {
  it("have tests of their names, and no test has another threat", () => {
    const [, section = ""] = read("src/facade/README.md").split("## Threats")
    const named = Array.from(section.matchAll(/^\| ([A-Z][^|]+) \|/gm), ([, name = ""]) => name.toLowerCase())
    const tested = Array.from(
      read("test/facade/threats.test.ts").matchAll(/it\.effect\("([^":]+):/g),
      ([, name = ""]) => name.toLowerCase()
    )
    assert.deepStrictEqual(
      [...new Set(tested)].filter((name) => name !== "control").toSorted(),
      named.filter((name) => name !== "threat").toSorted()
    )
  })
})
