import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decode } from "../../src/verify/jwt/base64url.ts"

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

const bytes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))

/** Node's decoder forgives everything; what it reads counts if it writes the same text again. */
const canonical = (text: string): Uint8Array | undefined => {
  const read = Buffer.from(text, "base64url")
  return text !== "" && read.toString("base64url") === text ? new Uint8Array(read) : undefined
}

describe("base64url", () => {
  it.effect.prop("reads what others write", { bytes }, ({ bytes }) =>
    Effect.sync(() => {
      const text = Buffer.from(bytes).toString("base64url")
      assert.deepStrictEqual(decode(text), text === "" ? undefined : Uint8Array.from(bytes))
    }))

  it.effect.prop(
    "rejects every encoding but the canonical one",
    { text: Schema.String },
    ({ text }) => Effect.sync(() => assert.deepStrictEqual(decode(text), canonical(text)))
  )

  it("JOSE-24 accepts one encoding of each ending, for every last character", () => {
    const characters = [...alphabet, "=", "+", "/", ".", " ", "\n", "\0", "\u0141", "\uff21", "\u{1F511}"]
    let accepted = 0
    for (const start of ["", "A", "AB", "ABC", "ABCD"]) {
      for (const first of characters) {
        for (const second of characters) {
          for (
            const text of [`${start}${first}${second}`, `${first}${start}${second}`, `${first}${second}${start}`]
          ) {
            const expected = canonical(text)
            if (expected !== undefined) accepted++
            assert.deepStrictEqual(decode(text), expected, JSON.stringify(text))
          }
        }
      }
    }
    assert.isAbove(accepted, 1000)
  })
})
