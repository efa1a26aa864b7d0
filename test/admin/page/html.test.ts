import { assert, describe, it } from "@effect/vitest"
import { escaped, foreign, html, pathData } from "../../../src/admin/page/html.ts"

describe("PAGE-01 text MUST NOT become markup", () => {
  it("every character with a meaning in HTML is written as a reference, in content and in attributes", () => {
    const attack = `"><img src=x onerror='alert(1)'>&amp;</bdi>`
    assert.strictEqual(
      String(html`<p title="${attack}">${attack}</p>`),
      `<p title="&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;amp;&lt;/bdi&gt;">&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;amp;&lt;/bdi&gt;</p>`
    )
  })

  it("HTML of the page itself stays, and nothing is escaped twice", () => {
    assert.strictEqual(
      String(html`<p>${html`<b>${"<"}</b>`}${[html`<i></i>`, "&"]}</p>`),
      "<p><b>&lt;</b><i></i>&amp;</p>"
    )
  })

  it("a value that only looks like HTML of the page is text", () => {
    const forged = { toString: () => "<script>" } as unknown as string
    assert.throws(() => String(html`${forged}`))
  })

  it("characters that hide text or change its direction are shown as what they are not", () => {
    for (
      const code of [
        0,
        7,
        9,
        10,
        0x1b,
        0x7f,
        0x85,
        0xad,
        0x200b,
        0x200e,
        0x202e,
        0x2028,
        0x2066,
        0xfeff,
        0xd800,
        0xe000
      ]
    ) {
      assert.strictEqual(escaped(`a${String.fromCharCode(code)}b`), "a\ufffdb", code.toString(16))
    }
    assert.strictEqual(escaped("café 東京 ‮"), "café 東京 \ufffd")
  })

  it("a tower of marks is cut down, and ordinary accents stay", () => {
    assert.strictEqual(escaped(`a${"\u0301".repeat(500)}b`), `a${"\u0301".repeat(3)}b`)
    assert.strictEqual(escaped("Zoë Ångström"), "Zoë Ångström")
  })

  it("a very long text is cut", () => {
    const text = escaped("x".repeat(1_000_000))
    assert.isTrue(text.length < 3_000 && text.endsWith("…"))
  })

  it("a name is isolated from the direction of the text around it", () => {
    assert.strictEqual(String(foreign("שלום")), "<bdi>שלום</bdi>")
  })

  it("nothing but commands and numbers is in the data of a path, and none are lost", () => {
    assert.strictEqual(String(pathData(`M0 1.5L-2 3Z"/><script>`)), "M0 1.5L-2 3Z")
    const long = "L1 2".repeat(5_000)
    assert.strictEqual(String(pathData(long)), long)
  })

  it("what is left out leaves no trace", () => {
    assert.strictEqual(String(html`<p>${undefined}${false}${0}</p>`), "<p>0</p>")
  })
})
