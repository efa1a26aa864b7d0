import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { equalBytes, equalWords } from "../../src/message/json/equalBytes.ts"

const below = (maximum: number) => Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum })))

/** More than two blocks, and all within one. */
const lengths = Arbitrary.schema(
  Schema.Literals([0, 1, 3, 4, 63, 64, 65, 70, 1_000, 65_535, 65_536, 65_537, 131_075, 200_000])
)

describe("bytes that are compared four at a time", () => {
  it.effect.prop(
    "LST-02 are equal exactly where each byte is, wherever the piece begins in memory and in the text",
    { length: lengths, from: below(9), offset: below(7), longer: below(3), change: below(200_100) },
    ({ change, from, length, longer, offset }) =>
      Effect.sync(() => {
        const bytes = Uint8Array.from({ length: from + length }, (_, index) => (index * 31 + (index >> 8)) & 0xff)
        const buffer = new Uint8Array(offset + length + longer)
        const piece = buffer.subarray(offset)
        piece.set(bytes.subarray(from))
        for (const equal of [equalBytes, equalWords]) assert.isTrue(equal(bytes, from, piece))
        if (piece.length === 0) return
        const place = change % piece.length
        piece[place] = (piece[place] ?? 0) ^ 0x40
        // Bytes beyond the text are not compared.
        for (const equal of [equalBytes, equalWords]) assert.strictEqual(equal(bytes, from, piece), place >= length)
      }),
    { arbitrary: { runs: 400 } }
  )
})
