import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { JsonScanner, type JsonToken } from "../../src/message/json/scanJson.ts"
import { accepted, rejected } from "./jsonCorpus.ts"
import { jsonText } from "./jsonText.ts"

const encoder = new TextEncoder()

const scan = (bytes: Uint8Array, maxDepth = 256): JsonToken => {
  const scanner = new JsonScanner(bytes, maxDepth)
  for (;;) {
    const token = scanner.next()
    if (token === "End" || token === "Malformed" || token === "TooDeep") return token
  }
}

/** The result of the platform's parser for strictly valid UTF-8; names must be well-formed too. */
const parses = (bytes: Uint8Array): boolean => {
  try {
    let wellFormed = true
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), (name, value: unknown) => {
      wellFormed &&= name.isWellFormed()
      return value
    })
    return wellFormed
  } catch {
    return false
  }
}

const tokens = (text: string): ReadonlyArray<readonly [JsonToken, string, number]> => {
  const bytes = encoder.encode(text)
  const scanner = new JsonScanner(bytes, 256)
  const found: Array<readonly [JsonToken, string, number]> = []
  for (let token = scanner.next(); token !== "End"; token = scanner.next()) {
    found.push([token, new TextDecoder().decode(bytes.subarray(scanner.start, scanner.end)), scanner.depth])
  }
  return found
}

describe("JsonScanner", () => {
  it.each(accepted)("FWD-14 accepts %s", (_, bytes) => {
    assert.strictEqual(scan(bytes), "End")
    assert.isTrue(parses(bytes), "the corpus is wrong")
  })

  it.each(rejected)("MCP-13 rejects %s", (_, bytes) => {
    assert.strictEqual(scan(bytes), "Malformed")
    assert.isFalse(parses(bytes), "the corpus is wrong")
  })

  it("FWD-14 rejects a lone surrogate in a name and keeps it in a value", () => {
    for (
      const lone of [
        "\\ud800",
        "\\udc00",
        "\\ud800\\ud800",
        "\\ud800a",
        "\\ud800\\u0041",
        "\\udc00\\ud800",
        "\\udc00\\udc00"
      ]
    ) {
      assert.strictEqual(scan(encoder.encode(`{"${lone}":0}`)), "Malformed", lone)
      assert.strictEqual(scan(encoder.encode(`{"a":"${lone}"}`)), "End", lone)
    }
    assert.strictEqual(scan(encoder.encode(`{"\\ud83d\\ude00":0}`)), "End")
  })

  it("FWD-14 reports tokens as spans of the input", () => {
    assert.deepStrictEqual(tokens(` {"a" : [1.10, "x\\n" ,{}], "b":null } `), [
      ["OpenObject", "{", 0],
      ["Name", `"a"`, 1],
      ["OpenArray", "[", 1],
      ["Number", "1.10", 2],
      ["String", `"x\\n"`, 2],
      ["OpenObject", "{", 2],
      ["CloseObject", "}", 2],
      ["CloseArray", "]", 1],
      ["Name", `"b"`, 1],
      ["Literal", "null", 1],
      ["CloseObject", "}", 0]
    ])
  })

  it("FWD-14 reports whether a string is plain and whether it has a lone surrogate", () => {
    const cases: ReadonlyArray<readonly [string, boolean, boolean]> = [
      [`"abc"`, true, false],
      [`"\\u0061"`, false, false],
      [`"é"`, false, false],
      [`"\\ud800"`, false, true],
      [`"\\ud83d\\ude00"`, false, false]
    ]
    for (const [text, plain, lone] of cases) {
      const scanner = new JsonScanner(encoder.encode(text), 256)
      assert.strictEqual(scanner.next(), "String")
      assert.deepStrictEqual([scanner.plain, scanner.loneSurrogate], [plain, lone], text)
    }
    const scanner = new JsonScanner(encoder.encode(`["\\ud800", "a"]`), 256)
    while (scanner.next() !== "CloseArray") { /* to the second string */ }
    assert.deepStrictEqual([scanner.plain, scanner.loneSurrogate], [true, false])
  })

  it("MCP-13 reads every byte of a long string, wherever it is in memory", () => {
    for (let offset = 0; offset < 4; offset++) {
      const bytes = new Uint8Array(new ArrayBuffer(220), offset, 200).fill(0x61)
      bytes[0] = 0x22
      bytes[199] = 0x22
      for (let place = 60; place < 100; place++) {
        for (let byte = 0; byte < 0x100; byte++) {
          bytes[place] = byte
          assert.strictEqual(scan(bytes) === "End", byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c)
        }
        bytes[place] = 0x61
      }
      assert.strictEqual(scan(bytes), "End")
    }
  })

  it("MCP-14 allows maxDepth containers and no more", () => {
    for (const [open, close] of [["[", "]"], [`{"a":`, "}"]] as const) {
      const nested = (depth: number) => encoder.encode(`${open.repeat(depth)}0${close.repeat(depth)}`)
      assert.strictEqual(scan(nested(256)), "End")
      assert.strictEqual(scan(nested(257)), "TooDeep")
      assert.strictEqual(scan(nested(100_000)), "TooDeep")
      assert.strictEqual(scan(nested(100_000), 200_000), "End")
    }
  })

  it("MCP-13 keeps its verdict", () => {
    for (const [text, verdict] of [["[]", "End"], ["[1 2]", "Malformed"]] as const) {
      const bytes = encoder.encode(text)
      const scanner = new JsonScanner(bytes, 256)
      while (scanner.next() !== verdict) { /* to the end */ }
      assert.deepStrictEqual([scanner.next(), scanner.next()], [verdict, verdict])
    }
  })

  it.effect.prop(
    "MCP-13 agrees with JSON.parse on any text with any byte changed",
    { text: jsonText, at: Schema.Int, byte: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })) },
    ({ at, byte, text }) =>
      Effect.sync(() => {
        const bytes = encoder.encode(text)
        assert.strictEqual(scan(bytes), "End")
        const changed = bytes.slice()
        changed[Math.abs(at) % changed.length] = byte
        assert.strictEqual(scan(changed) === "End", parses(changed), text)
        const cut = bytes.subarray(0, Math.abs(at) % bytes.length)
        assert.strictEqual(scan(cut) === "End", parses(cut), text)
      }),
    { arbitrary: { runs: 2000 } }
  )
})
