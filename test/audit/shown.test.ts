import { assert, describe, it } from "@effect/vitest"
import { shownText, withoutCredential } from "../../src/audit/shown.ts"

describe("a caller's text in the audit log", () => {
  it("stays as it is where it is fit to be read", () => {
    for (const text of ["tools/call", "delete_note", "Ünïcødé 工具 🛠", "a".repeat(256)]) {
      assert.strictEqual(shownText(text), text)
    }
  })

  it("has a mark in place of what an eye cannot see or a terminal would obey", () => {
    for (
      const unfit of [
        "\u0000",
        "\n",
        "\r",
        "\u001b",
        "\u007f",
        "\u009b",
        "\u200b",
        "\u202e",
        "\u2028",
        "\u2066",
        "\ufeff"
      ]
    ) {
      assert.strictEqual(shownText(`a${unfit}b`), "a\ufffdb", JSON.stringify(unfit))
    }
    assert.strictEqual(shownText("a\ud800b"), "a\ufffdb")
  })

  it("is cut after 256 characters, not within one", () => {
    assert.strictEqual(shownText("b".repeat(257)), `${"b".repeat(256)}…`)
    assert.strictEqual(shownText("b".repeat(5_000_000)), `${"b".repeat(256)}…`)
    assert.strictEqual(shownText(`${"b".repeat(255)}🛠b`), `${"b".repeat(255)}…`)
    assert.strictEqual(shownText(`${"b".repeat(1023)}🛠`), `${"b".repeat(256)}…`)
  })

  it("has nothing in the form of a JWT, whole or cut", () => {
    const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl"
    assert.strictEqual(shownText(`x ${token} y`), "x (a token) y")
    assert.notInclude(shownText(`${"b".repeat(250)}${token}`), "eyJ")
    assert.notInclude(shownText(`${"b".repeat(1_010)} ${token}`), "eyJhbGciOi")
  })

  it("does not have the credential of its request, where that is long enough to be one", () => {
    assert.strictEqual(withoutCredential("note-s3cret-key-1", "Bearer s3cret-key"), "note-(the credential)-1")
    assert.strictEqual(withoutCredential("a tools/call", "Bearer a"), "a tools/call")
    assert.strictEqual(withoutCredential("note", undefined), "note")
  })
})
